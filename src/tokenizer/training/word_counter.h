/// The words of texts, counted as a pipeline's first two stages cut them.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "tokenizer/normalizer.h"
#include "tokenizer/pre_tokenizer.h"
#include "tokenizer/training/bpe_trainer.h"

namespace aios::tokenizer {

class JsonNode;

class WordCounter {
 public:
  /// From "normalizer" and "pre_tokenizer" of a tokenizer.json. @throws FormatError
  explicit WordCounter(const JsonNode& json);

  /// Each line by itself, with its line feed, as Hugging Face's `train` reads files. Valid UTF-8.
  void add(std::string_view text);
  /// Words of a byte-level pipeline are in ByteLevel's letters. In the order of their texts.
  [[nodiscard]] std::vector<CountedWord> take();

 private:
  void add_line(std::string_view line);

  std::unique_ptr<Normalizer> normalizer_;
  std::unique_ptr<PreTokenizer> pre_tokenizer_;
  WorkingText text_;
  RegexScratch scratch_;
  std::unordered_map<std::string, int64_t> counts_;
  std::string word_;
};

}  // namespace aios::tokenizer
