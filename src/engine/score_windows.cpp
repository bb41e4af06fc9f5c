#include "engine/score_windows.h"

#include <algorithm>

namespace aios {
namespace {

/// Tokens in a row, each with the bytes of text up to its end: no byte is counted twice, even where
/// a character is spread over several tokens, and none is lost.
struct Stream {
  std::vector<int32_t> token_ids;
  std::vector<int64_t> byte_ends;

  void append(const std::string& document, const FastTokenizer& tokenizer, int32_t begin) {
    const int64_t start = byte_ends.empty() ? 0 : byte_ends.back();
    token_ids.push_back(begin);
    byte_ends.push_back(start);
    const Encoding encoding = tokenizer.encode(document, {.add_special_tokens = false});
    token_ids.insert(token_ids.end(), encoding.ids.begin(), encoding.ids.end());
    for (const auto& [first, last] : encoding.offsets) {
      byte_ends.push_back(std::max(byte_ends.back(), start + last));
    }
    if (!encoding.ids.empty()) byte_ends.back() = start + std::ssize(document);
  }
};

void cut(const Stream& stream, int32_t begin, int32_t window, int32_t max_windows,
         std::vector<TextWindow>& windows) {
  const std::size_t scored = static_cast<std::size_t>(window) - 1;
  for (std::size_t at = 1; at < stream.token_ids.size(); at += scored) {
    if (max_windows > 0 && std::ssize(windows) == max_windows) return;
    const std::size_t end = std::min(at + scored, stream.token_ids.size());
    TextWindow& next = windows.emplace_back();
    next.token_ids = {begin};
    const auto ids = stream.token_ids.begin();
    next.token_ids.insert(next.token_ids.end(), ids + static_cast<std::ptrdiff_t>(at),
                          ids + static_cast<std::ptrdiff_t>(end));
    next.num_bytes = stream.byte_ends[end - 1] - stream.byte_ends[at - 1];
  }
}

}  // namespace

std::vector<TextWindow> cut_windows(std::span<const std::string> documents,
                                    const FastTokenizer& tokenizer, int32_t begin_token_id,
                                    int32_t window, const ScoreConfig& config) {
  std::vector<TextWindow> windows;
  Stream stream;
  for (const std::string& document : documents) {
    stream.append(document, tokenizer, begin_token_id);
    if (config.concatenate) continue;
    cut(stream, begin_token_id, window, config.max_windows, windows);
    stream = {};
  }
  cut(stream, begin_token_id, window, config.max_windows, windows);
  return windows;
}

}  // namespace aios
