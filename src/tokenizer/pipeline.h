/// The stages of one tokenizer.json at work: text to tokens, tokens to text.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "tokenizer/added_tokens.h"
#include "tokenizer/decoder.h"
#include "tokenizer/model.h"
#include "tokenizer/normalizer.h"
#include "tokenizer/post_processor.h"
#include "tokenizer/pre_tokenizer.h"
#include "tokenizer/workspace.h"

namespace aios::tokenizer {

class JsonNode;

/// Immutable but for the pool of workspaces; const members may be called from several threads.
class Pipeline {
 public:
  /// `tables` are those of the same file; or `saved` is what `save` wrote.
  /// @throws FormatError naming the place
  Pipeline(const JsonNode& json, const ModelTables& tables, BlockReader* saved);
  /// Writes the tables of the model.
  void save(BlockWriter& writer) const { model_->save(writer); }

  /// Memory for `tokenize`. One for many texts: a thread keeps its own word cache.
  [[nodiscard]] WorkspacePool::Lease lend() const { return pool_.lend(); }
  /// The tokens of a text, without special ones: whole words until there are `limit`; `truncated`
  /// says whether some were left out.
  /// @throws TokenizerError on invalid UTF-8, naming the byte
  [[nodiscard]] Section tokenize(std::string_view text, std::size_t limit, Workspace& work) const;

  /// nullptr if the file has none.
  [[nodiscard]] const PostProcessor* post_processor() const noexcept {
    return post_processor_.get();
  }
  [[nodiscard]] const Decoder& decoder() const noexcept { return *decoder_; }

  [[nodiscard]] int32_t id_bound() const noexcept;
  [[nodiscard]] std::optional<int32_t> find(std::string_view token) const;
  [[nodiscard]] std::optional<std::string_view> text(int32_t id) const;
  [[nodiscard]] bool is_special(int32_t id) const noexcept;
  /// `Vocabulary::kNone` if the model has none.
  [[nodiscard]] int32_t unknown_token() const { return model_->unknown_token(); }

 private:
  void mark_special_tokens();
  void normalize(WorkingText& text) const;
  void append_piece(std::size_t index, Workspace& work, Section& section) const;
  void append_margins(std::size_t first, const Piece& piece, const Workspace& work,
                      Section& section) const;

  std::unique_ptr<Normalizer> normalizer_;       // nullptr: none
  std::unique_ptr<PreTokenizer> pre_tokenizer_;  // nullptr: none
  std::unique_ptr<Model> model_;
  std::unique_ptr<AddedTokens> added_tokens_;
  std::unique_ptr<PostProcessor> post_processor_;  // nullptr: none
  std::unique_ptr<Decoder> decoder_;
  std::vector<bool> is_special_;  // by id
  std::vector<Margins> margins_;  // by id, if the post-processor trims
  mutable WorkspacePool pool_;
};

}  // namespace aios::tokenizer
