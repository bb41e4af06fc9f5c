#include "tokenizer/encode.h"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <string>
#include <utility>

#include "aios/error.h"
#include "tokenizer/truncation.h"
#include "tokenizer/utf8.h"

namespace aios::tokenizer {
namespace {

template <typename T>
void append(std::vector<T>& to, const std::vector<T>& from) {
  to.insert(to.end(), from.begin(), from.end());
}

void append(Encoding& to, const Encoding& from) {
  append(to.ids, from.ids);
  append(to.offsets, from.offsets);
  append(to.type_ids, from.type_ids);
  append(to.word_ids, from.word_ids);
  append(to.special_tokens_mask, from.special_tokens_mask);
  to.truncated = to.truncated || from.truncated;
}

Encoding joined(Encoding left, const Encoding& right) {
  append(left, right);
  return left;
}

/// Every combination of windows but the one that was kept, in the order of `Encoding::merge_with`
/// of Hugging Face's tokenizers.
std::vector<Encoding> join_windows(const Encoding& left, const Section& right) {
  std::vector<Encoding> windows;
  const auto add = [&](const Encoding& window) {
    windows.push_back(joined(window, right.encoding));
    for (const Section& other : right.windows) windows.push_back(joined(window, other.encoding));
  };
  for (const Encoding& window : left.overflow) add(window);
  Encoding kept = left;
  kept.overflow.clear();
  for (const Section& other : right.windows) windows.push_back(joined(kept, other.encoding));
  return windows;
}

Encoding join_with_windows(const std::vector<Section>& sections) {
  Encoding result;
  for (const Section& section : sections) {
    std::vector<Encoding> windows = join_windows(result, section);
    append(result, section.encoding);
    result.overflow = std::move(windows);
  }
  return result;
}

/// One list of all sections, which lose theirs: a long text is not held twice.
template <typename T>
void take(std::vector<Section>& sections, std::vector<T> Encoding::*list, Encoding& result) {
  std::size_t size = 0;
  for (const Section& section : sections) size += (section.encoding.*list).size();
  (result.*list).reserve(size);
  for (Section& section : sections) {
    append(result.*list, section.encoding.*list);
    section.encoding.*list = {};
  }
}

Encoding join_without_windows(std::vector<Section>& sections) {
  if (sections.size() == 1) return std::move(sections.front().encoding);
  Encoding result;
  for (const Section& section : sections) {
    result.truncated = result.truncated || section.encoding.truncated;
  }
  take(sections, &Encoding::ids, result);
  take(sections, &Encoding::offsets, result);
  take(sections, &Encoding::type_ids, result);
  take(sections, &Encoding::word_ids, result);
  take(sections, &Encoding::special_tokens_mask, result);
  return result;
}

Encoding join(std::vector<Section>& sections) {
  const bool has_windows = std::any_of(sections.begin(), sections.end(),
                                       [](const Section& part) { return !part.windows.empty(); });
  Encoding result = has_windows ? join_with_windows(sections) : join_without_windows(sections);
  result.attention_mask.assign(result.ids.size(), 1);
  for (Encoding& window : result.overflow) window.attention_mask.assign(window.ids.size(), 1);
  return result;
}

/// Byte positions of a text as numbers of characters.
class CharacterCount {
 public:
  explicit CharacterCount(std::string_view text) : text_(text) {
    int64_t count = 0;
    for (std::size_t at = 0; at < text.size(); ++at) {
      if (at % kBlock == 0) blocks_.push_back(count);
      count += is_continuation(text[at]) ? 0 : 1;
    }
    blocks_.push_back(count);
  }
  /// Characters that begin before byte `at`, which begins one itself, or ends the text.
  [[nodiscard]] int64_t operator()(int64_t at) const {
    const auto end = static_cast<std::size_t>(at);
    if (end == text_.size()) return blocks_.back();
    int64_t count = blocks_[end / kBlock];
    for (std::size_t i = end / kBlock * kBlock; i < end; ++i) {
      count += is_continuation(text_[i]) ? 0 : 1;
    }
    return count;
  }

 private:
  static constexpr std::size_t kBlock = 64;
  std::string_view text_;
  std::vector<int64_t> blocks_;  // characters before each block, and in the whole text
};

void count_characters(Section& section, const CharacterCount& count) {
  for (auto& [begin, end] : section.encoding.offsets) {
    begin = count(begin);
    end = count(end);
  }
  for (Section& window : section.windows) count_characters(window, count);
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

void pad_one(Encoding& encoding, std::size_t length, bool left, const Padding& padding) {
  for (Encoding& window : encoding.overflow) pad_one(window, length, left, padding);
  if (encoding.ids.size() >= length) return;
  const std::size_t count = length - encoding.ids.size();
  pad_values(encoding.ids, count, left, padding.id);
  pad_values(encoding.offsets, count, left, {0, 0});
  pad_values(encoding.type_ids, count, left, padding.type_id);
  pad_values(encoding.word_ids, count, left, -1);
  pad_values(encoding.special_tokens_mask, count, left, uint8_t{1});
  pad_values(encoding.attention_mask, count, left, uint8_t{0});
}

}  // namespace

void check_options(const TokenizeOptions& options, const Padding& padding) {
  if (options.max_length < 0) {
    throw ConfigError("max_length " + std::to_string(options.max_length) +
                      " is negative; 0 means no limit");
  }
  if (options.stride < 0) {
    throw ConfigError("stride " + std::to_string(options.stride) + " is negative");
  }
  if (options.pad_to_length < -1) {
    throw ConfigError("pad_to_length " + std::to_string(options.pad_to_length) +
                      " is out of range; 0 means none, -1 the longest of the batch");
  }
  if (options.pad_to_multiple < 0) {
    throw ConfigError("pad_to_multiple " + std::to_string(options.pad_to_multiple) +
                      " is negative; 0 means any length");
  }
  if (options.pad_to_length != 0 && padding.id < 0) {
    throw ConfigError("pad_to_length is set, but the tokenizer has no padding token");
  }
}

Encoding encode(const Pipeline& pipeline, std::span<const std::string_view> texts,
                const TokenizeOptions& options, Workspace& work) {
  const PostProcessor* const processor = pipeline.post_processor();
  const int64_t num_added = processor != nullptr && options.add_special_tokens
                                ? processor->num_added_tokens(texts.size() == 2)
                                : 0;
  const std::size_t room = room_for_text(options, num_added);
  // What is cut off one text at its end need not be tokenized.
  const bool needs_all = texts.size() == 2 || options.truncate_left || options.return_overflow;
  std::vector<Section> sections;
  sections.reserve(texts.size());
  for (const std::string_view text : texts) {
    sections.push_back(pipeline.tokenize(text, needs_all ? SIZE_MAX : room, work));
  }
  truncate(sections, {room, options.truncation, static_cast<std::size_t>(options.stride),
                      options.truncate_left, options.return_overflow});
  for (std::size_t i = 0; i < sections.size(); ++i) set_type(sections[i], static_cast<int32_t>(i));
  if (processor != nullptr) processor->process(sections, options.add_special_tokens);
  if (options.offsets_in_characters) {
    for (Section& section : sections) count_characters(section, CharacterCount(section.text));
  }
  return join(sections);
}

void pad(std::span<Encoding> encodings, const TokenizeOptions& options, const Padding& padding) {
  if (options.pad_to_length == 0) return;
  std::size_t length = 0;
  if (options.pad_to_length > 0) {
    length = static_cast<std::size_t>(options.pad_to_length);
  } else {
    for (const Encoding& encoding : encodings) length = std::max(length, encoding.ids.size());
  }
  if (options.pad_to_multiple > 0) {
    const auto multiple = static_cast<std::size_t>(options.pad_to_multiple);
    length = (length + multiple - 1) / multiple * multiple;
  }
  for (Encoding& encoding : encodings) pad_one(encoding, length, options.pad_left, padding);
}

TokenizeOptions read_options(const JsonNode& json) {
  constexpr int64_t kLimit = INT32_MAX;
  TokenizeOptions options;
  if (const auto truncation = json.find("truncation")) {
    options.max_length = static_cast<int32_t>(truncation->at("max_length").as_integer(0, kLimit));
    options.truncate_left = truncation->string_or("direction", "Right") == "Left";
    const std::string strategy = truncation->string_or("strategy", "LongestFirst");
    options.truncation = strategy == "OnlyFirst"    ? TruncationStrategy::kOnlyFirst
                         : strategy == "OnlySecond" ? TruncationStrategy::kOnlySecond
                                                    : TruncationStrategy::kLongestFirst;
    if (const auto stride = truncation->find("stride")) {
      options.stride = static_cast<int32_t>(stride->as_integer(0, kLimit));
    }
  }
  if (const auto padding = json.find("padding")) {
    const auto strategy = padding->find("strategy");
    const bool is_fixed = strategy && strategy->is_object();
    options.pad_to_length =
        is_fixed ? static_cast<int32_t>(strategy->at("Fixed").as_integer(0, kLimit)) : -1;
    options.pad_left = padding->string_or("direction", "Right") == "Left";
    if (const auto multiple = padding->find("pad_to_multiple_of")) {
      options.pad_to_multiple = static_cast<int32_t>(multiple->as_integer(0, kLimit));
    }
  }
  return options;
}

}  // namespace aios::tokenizer
