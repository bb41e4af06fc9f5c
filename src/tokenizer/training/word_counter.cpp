#include "tokenizer/training/word_counter.h"

#include <algorithm>

#include "tokenizer/byte_alphabet.h"
#include "tokenizer/json_node.h"

namespace aios::tokenizer {

WordCounter::WordCounter(const JsonNode& json) {
  if (const auto stage = json.find("normalizer")) normalizer_ = make_normalizer(*stage);
  PreTokenizerScope scope;
  scope.model_reads_bytes = true;
  if (const auto stage = json.find("pre_tokenizer")) {
    pre_tokenizer_ = make_pre_tokenizer(*stage, scope);
  }
}

void WordCounter::add(std::string_view text) {
  while (!text.empty()) {
    const std::size_t size = std::min(text.find('\n'), text.size() - 1) + 1;
    add_line(text.substr(0, size));
    text.remove_prefix(size);
  }
}

void WordCounter::add_line(std::string_view line) {
  text_.reset(line);
  if (normalizer_ && !normalizer_->keeps(line)) {
    text_.rewrite([this](const Piece&, const AlignedView& part, AlignedText& output) {
      normalizer_->normalize(part, output);
    });
  }
  if (pre_tokenizer_) pre_tokenizer_->split(text_, scratch_);
  for (const Piece& piece : text_.pieces()) {
    word_.assign(text_.text(piece));
    ++counts_[word_];
  }
}

std::vector<CountedWord> WordCounter::take() {
  const bool in_letters = pre_tokenizer_ && pre_tokenizer_->maps_to_bytes();
  std::vector<CountedWord> words;
  words.reserve(counts_.size());
  for (const auto& [text, count] : counts_) {
    words.push_back({text, count});
    if (!in_letters) continue;
    words.back().text.clear();
    append_letters(text, words.back().text);
  }
  counts_.clear();
  std::sort(words.begin(), words.end(),
            [](const CountedWord& a, const CountedWord& b) { return a.text < b.text; });
  return words;
}

}  // namespace aios::tokenizer
