/// A text being decoded, id by id.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "tokenizer/decoder.h"
#include "tokenizer/pipeline.h"

namespace aios::tokenizer {

/// Not thread-safe; must not outlive its pipeline.
class Decoding {
 public:
  Decoding(const Pipeline& pipeline, bool skip_special);
  /// @throws TokenizerError on an id that has no token
  void push(int32_t id);
  void finish() { run_->finish(); }
  /// The final text since the last call: whole UTF-8 characters.
  [[nodiscard]] std::string take() noexcept { return std::exchange(output_->text, {}); }

 private:
  struct Output final : DecoderRun {
    std::string text;
    void push(std::string_view token) override { text += token; }
    void finish() override {}
  };

  const Pipeline* pipeline_;
  bool skip_special_;
  std::unique_ptr<Output> output_;  // at a fixed address: the run points to it
  std::unique_ptr<DecoderRun> run_;
};

}  // namespace aios::tokenizer
