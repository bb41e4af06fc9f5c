#include "tokenizer/encode.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <utility>

#include "aios/error.h"

namespace aios::tokenizer {
namespace {

/// How many tokens of two texts stay when `limit` may: the longer one gives first.
/// Source: utils/truncation.rs, LongestFirst, of Hugging Face's tokenizers.
std::array<std::size_t, 2> share_length(std::size_t first, std::size_t second, std::size_t limit) {
  std::size_t shorter = std::min(first, second);
  std::size_t longer = shorter > limit ? shorter : std::max(shorter, limit - shorter);
  if (shorter + longer > limit) {
    shorter = limit / 2;
    longer = shorter + limit % 2;
  }
  return first > second ? std::array{longer, shorter} : std::array{shorter, longer};
}

void truncate_all(std::vector<Section>& sections, std::size_t limit, bool left) {
  if (sections.size() == 1) return truncate(sections[0], limit, left);
  const std::size_t first = sections[0].encoding.ids.size();
  const std::size_t second = sections[1].encoding.ids.size();
  if (first + second <= limit) return;
  const auto [keep_first, keep_second] = share_length(first, second, limit);
  truncate(sections[0], keep_first, left);
  truncate(sections[1], keep_second, left);
}

template <typename T>
void append(std::vector<T>& to, const std::vector<T>& from) {
  to.insert(to.end(), from.begin(), from.end());
}

Encoding join(std::vector<Section>& sections) {
  if (sections.empty()) return {};
  Encoding joined = std::move(sections[0].encoding);
  for (std::size_t i = 1; i < sections.size(); ++i) {
    const Encoding& next = sections[i].encoding;
    append(joined.ids, next.ids);
    append(joined.offsets, next.offsets);
    append(joined.type_ids, next.type_ids);
    append(joined.special_tokens_mask, next.special_tokens_mask);
    joined.truncated = joined.truncated || next.truncated;
  }
  joined.attention_mask.assign(joined.ids.size(), 1);
  return joined;
}

/// How many tokens the texts may have together.
std::size_t room_for_text(const TokenizeOptions& options, int64_t num_added) {
  if (options.max_length == 0) return SIZE_MAX;
  if (options.max_length < num_added) {
    throw ConfigError("max_length " + std::to_string(options.max_length) + " has no room for the " +
                      std::to_string(num_added) +
                      " special tokens; raise it or set add_special_tokens to false");
  }
  return static_cast<std::size_t>(options.max_length - num_added);
}

template <typename T>
void pad_values(std::vector<T>& values, std::size_t count, bool left, T value) {
  values.insert(left ? values.begin() : values.end(), count, value);
}

}  // namespace

void check_options(const TokenizeOptions& options, const Padding& padding) {
  if (options.max_length < 0) {
    throw ConfigError("max_length " + std::to_string(options.max_length) +
                      " is negative; 0 means no limit");
  }
  if (options.pad_to_length < -1) {
    throw ConfigError("pad_to_length " + std::to_string(options.pad_to_length) +
                      " is out of range; 0 means none, -1 the longest of the batch");
  }
  if (options.pad_to_length != 0 && padding.id < 0) {
    throw ConfigError("pad_to_length is set, but the tokenizer has no padding token");
  }
}

Encoding encode(const Pipeline& pipeline, std::span<const std::string_view> texts,
                const TokenizeOptions& options) {
  const PostProcessor* const processor = pipeline.post_processor();
  const int64_t num_added = processor != nullptr && options.add_special_tokens
                                ? processor->num_added_tokens(texts.size() == 2)
                                : 0;
  const std::size_t room = room_for_text(options, num_added);
  // Each text alone stops at max_length, as in Hugging Face's library: of two that are both too
  // long, which is the longer is judged by these lengths.
  TokenLimit limit;
  limit.from_end = options.truncate_left;
  if (options.max_length > 0) limit.num_tokens = static_cast<std::size_t>(options.max_length);
  std::vector<Section> sections;
  for (const std::string_view text : texts) sections.push_back(pipeline.tokenize(text, limit));
  truncate_all(sections, room, options.truncate_left);
  for (std::size_t i = 0; i < sections.size(); ++i) {
    Encoding& encoding = sections[i].encoding;
    encoding.type_ids.assign(encoding.ids.size(), static_cast<int32_t>(i));
    encoding.special_tokens_mask.assign(encoding.ids.size(), 0);
  }
  if (processor != nullptr) processor->process(sections, options.add_special_tokens);
  return join(sections);
}

void pad(Encoding& encoding, std::size_t length, bool left, const Padding& padding) {
  if (encoding.ids.size() >= length) return;
  const std::size_t count = length - encoding.ids.size();
  pad_values(encoding.ids, count, left, padding.id);
  pad_values(encoding.offsets, count, left, {0, 0});
  pad_values(encoding.type_ids, count, left, padding.type_id);
  pad_values(encoding.special_tokens_mask, count, left, uint8_t{1});
  pad_values(encoding.attention_mask, count, left, uint8_t{0});
}

}  // namespace aios::tokenizer
