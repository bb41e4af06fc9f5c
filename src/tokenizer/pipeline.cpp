#include "tokenizer/pipeline.h"

#include <algorithm>
#include <string>

#include "aios/error.h"
#include "base/utf8.h"
#include "tokenizer/byte_alphabet.h"
#include "tokenizer/json_node.h"
#include "tokenizer/unicode_tables.h"
#include "tokenizer/utf8.h"

namespace aios::tokenizer {
namespace {

Margins margins_of(std::string_view token) {
  Margins margins{0, 0};
  bool only_space = true;
  for_each_character(token, [&](char32_t c) {
    const bool is_space = c == letter_of_byte(' ') || has_flag(c, kWhiteSpaceFlag);
    only_space = only_space && is_space;
    margins.leading += only_space ? 1 : 0;
    margins.trailing = is_space ? margins.trailing + 1 : 0;
  });
  return margins;
}

void reserve(Encoding& encoding, std::size_t num_tokens) {
  encoding.ids.reserve(num_tokens);
  encoding.offsets.reserve(num_tokens);
  encoding.word_ids.reserve(num_tokens);
}

/// Room for exactly the tokens of a long word: growing by halves would need twice the memory.
void reserve_for_word(Encoding& encoding, std::size_t num_tokens) {
  constexpr std::size_t kLong = 4096;
  const std::size_t size = encoding.ids.size() + num_tokens;
  if (num_tokens >= kLong && size >= 2 * encoding.ids.capacity()) reserve(encoding, size);
}

}  // namespace

Pipeline::Pipeline(const JsonNode& json, const ModelTables& tables, BlockReader* saved) {
  if (const auto version = json.find("version"); version && version->as_string() != "1.0") {
    version->fail("version " + quote(version->as_string()) + " is not supported; 1.0 is");
  }
  if (const auto stage = json.find("normalizer")) normalizer_ = make_normalizer(*stage);
  if (const auto stage = json.find("pre_tokenizer")) {
    const auto size = static_cast<int64_t>(tables.tokens.size() + tables.pieces.size());
    pre_tokenizer_ = make_pre_tokenizer(*stage, {reads_bytes(json.at("model")), 0, size});
  }
  const bool bytes = pre_tokenizer_ && pre_tokenizer_->maps_to_bytes();
  model_ = make_model(json.at("model"),
                      {bytes ? Alphabet::kBytes : Alphabet::kCharacters, tables, saved});
  added_tokens_ =
      std::make_unique<AddedTokens>(json.find("added_tokens"), *model_, normalizer_.get());
  if (const auto stage = json.find("post_processor")) {
    post_processor_ = make_post_processor(*stage, {id_bound()});
  }
  const auto decoder = json.find("decoder");
  decoder_ = decoder ? make_decoder(*decoder) : make_spaced_decoder();

  mark_special_tokens();
  if (post_processor_ && post_processor_->trims()) {
    margins_.reserve(static_cast<std::size_t>(id_bound()));
    for (int32_t id = 0; id < id_bound(); ++id)
      margins_.push_back(margins_of(text(id).value_or("")));
  }
}

/// A token is special by its text, wherever that comes from.
void Pipeline::mark_special_tokens() {
  is_special_.resize(static_cast<std::size_t>(id_bound()));
  const auto mark = [this](int32_t id) {
    is_special_[static_cast<std::size_t>(id)] = added_tokens_->is_special(text(id).value_or(""));
  };
  for (const int32_t id : added_tokens_->ids()) mark(id);
  for (const std::string& token : added_tokens_->special()) {
    for (const int32_t id : model_->vocabulary().find_copies(token)) mark(id);
  }
}

Section Pipeline::tokenize(std::string_view text, std::size_t limit, Workspace& work) const {
  if (const std::size_t invalid = find_invalid_utf8(text); invalid < text.size()) {
    throw TokenizerError("the text is not valid UTF-8 at byte " + std::to_string(invalid));
  }
  work.text.reset(text);
  if (added_tokens_->has_any(false)) added_tokens_->extract(work.text, false);
  normalize(work.text);
  if (added_tokens_->has_any(true)) added_tokens_->extract(work.text, true);
  if (pre_tokenizer_) pre_tokenizer_->split(work.text, work.regex);

  constexpr std::size_t kTokenBytes = 4;  // of prose
  Section section;
  section.text = text;
  reserve(section.encoding, std::min(text.size() / kTokenBytes + 8, limit));
  const std::size_t num_pieces = work.text.pieces().size();
  std::size_t index = 0;
  while (index < num_pieces && section.encoding.ids.size() < limit) {
    append_piece(index++, work, section);
  }
  section.encoding.truncated = index < num_pieces;
  work.drop_excess();
  return section;
}

void Pipeline::normalize(WorkingText& text) const {
  if (!normalizer_) return;
  const bool keeps = std::all_of(
      text.pieces().begin(), text.pieces().end(),
      [&](const Piece& piece) { return !piece.is_text() || normalizer_->keeps(text.text(piece)); });
  if (keeps) return;
  text.rewrite([this](const Piece& piece, const AlignedView& part, AlignedText& output) {
    if (piece.is_text()) {
      normalizer_->normalize(part, output);
    } else {
      output.append(part);
    }
  });
}

void Pipeline::append_piece(std::size_t index, Workspace& work, Section& section) const {
  const Piece& piece = work.text.pieces()[index];
  Encoding& encoding = section.encoding;
  const std::size_t first = encoding.ids.size();
  const auto append = [&](int32_t id, Span span) {
    const Span original = work.text.original(span);
    encoding.ids.push_back(id);
    encoding.offsets.emplace_back(original.begin, original.end);
    encoding.word_ids.push_back(static_cast<int32_t>(index));
  };
  work.tokens.clear();
  if (!piece.is_text()) {
    append(piece.token, piece.span);
  } else {
    const std::string_view word = work.text.text(piece);
    if (!work.cache.find(word, work.tokens)) {
      model_->tokenize(word, work.model, work.tokens);
      work.cache.insert(word, work.tokens, 0);
    }
    reserve_for_word(encoding, work.tokens.size());
    // Tokens that spell affixes may reach beyond the word.
    const auto size = static_cast<uint32_t>(word.size());
    for (const WordToken& token : work.tokens) {
      const uint32_t begin = piece.span.begin;
      append(token.id, {begin + std::min(token.begin, size), begin + std::min(token.end, size)});
    }
  }
  if (!margins_.empty()) append_margins(first, piece, work, section);
}

void Pipeline::append_margins(std::size_t first, const Piece& piece, const Workspace& work,
                              Section& section) const {
  const std::string_view word = work.text.text(piece);
  if (!piece.is_text()) {  // lstrip and rstrip may have taken white space along
    section.margins.push_back(margins_of(word));
    return;
  }
  for (std::size_t i = first; i < section.encoding.ids.size(); ++i) {
    const int32_t id = section.encoding.ids[i];
    const WordToken& token = work.tokens[i - first];
    const bool shows_text = id == model_->unknown_token() && model_->unknown_shows_text();
    section.margins.push_back(shows_text
                                  ? margins_of(word.substr(token.begin, token.end - token.begin))
                                  : margins_[static_cast<std::size_t>(id)]);
  }
}

int32_t Pipeline::id_bound() const noexcept {
  return std::max(model_->vocabulary().id_bound(), added_tokens_->id_bound());
}

std::optional<int32_t> Pipeline::find(std::string_view token) const {
  if (const auto id = added_tokens_->find(token)) return id;
  const int32_t id = model_->vocabulary().find(token);
  return id == Vocabulary::kNone ? std::nullopt : std::optional(id);
}

std::optional<std::string_view> Pipeline::text(int32_t id) const {
  if (const auto added = added_tokens_->text(id)) return added;
  return model_->vocabulary().token(id);
}

bool Pipeline::is_special(int32_t id) const noexcept {
  return id >= 0 && id < id_bound() && is_special_[static_cast<std::size_t>(id)];
}

}  // namespace aios::tokenizer
