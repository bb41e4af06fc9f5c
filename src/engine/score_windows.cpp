#include "engine/score_windows.h"

#include <algorithm>

#include "aios/error.h"

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

/// @param head what every window begins with
void cut(const Stream& stream, std::span<const int32_t> head, int32_t window, int32_t max_windows,
         std::vector<TextWindow>& windows) {
  const std::size_t scored = static_cast<std::size_t>(window) - head.size();
  for (std::size_t at = 1; at < stream.token_ids.size(); at += scored) {
    if (max_windows > 0 && std::ssize(windows) == max_windows) return;
    const std::size_t end = std::min(at + scored, stream.token_ids.size());
    TextWindow& next = windows.emplace_back();
    next.token_ids.assign(head.begin(), head.end());
    next.first_scored = static_cast<int32_t>(head.size());
    const auto ids = stream.token_ids.begin();
    next.token_ids.insert(next.token_ids.end(), ids + static_cast<std::ptrdiff_t>(at),
                          ids + static_cast<std::ptrdiff_t>(end));
    next.num_bytes = stream.byte_ends[end - 1] - stream.byte_ends[at - 1];
  }
}

/// What the windows of each document begin with: begin token and prefix; one for all if there are
/// fewer than documents.
std::vector<std::vector<int32_t>> window_heads(const FastTokenizer& tokenizer, int32_t begin,
                                               int32_t window, std::size_t num_documents,
                                               const ScoreConfig& config) {
  const std::size_t most = config.concatenate ? 1 : num_documents;
  if (config.prefix.size() > 1 && config.prefix.size() != most) {
    throw ConfigError("prefix: there are " + std::to_string(config.prefix.size()) + " for " +
                      (config.concatenate ? "one stream of text; give one"
                                          : std::to_string(num_documents) +
                                                " documents; give one, or one for each"));
  }
  std::vector<std::vector<int32_t>> heads;
  for (const std::string& prefix : config.prefix) {
    std::vector<int32_t>& head = heads.emplace_back(1, begin);
    const Encoding encoding = tokenizer.encode(prefix, {.add_special_tokens = false});
    head.insert(head.end(), encoding.ids.begin(), encoding.ids.end());
    if (std::ssize(head) < window) continue;
    throw ConfigError("prefix: its " + std::to_string(encoding.ids.size()) +
                      " tokens leave no room for the text in a window of " +
                      std::to_string(window) + "; shorten it");
  }
  if (heads.empty()) heads.push_back({begin});
  return heads;
}

}  // namespace

std::vector<TextWindow> cut_windows(std::span<const std::string> documents,
                                    const FastTokenizer& tokenizer, int32_t begin_token_id,
                                    int32_t window, const ScoreConfig& config) {
  const auto heads = window_heads(tokenizer, begin_token_id, window, documents.size(), config);
  std::vector<TextWindow> windows;
  Stream stream;
  for (std::size_t i = 0; i < documents.size(); ++i) {
    stream.append(documents[i], tokenizer, begin_token_id);
    if (config.concatenate) continue;
    cut(stream, heads[heads.size() > 1 ? i : 0], window, config.max_windows, windows);
    stream = {};
  }
  cut(stream, heads.front(), window, config.max_windows, windows);
  return windows;
}

}  // namespace aios
