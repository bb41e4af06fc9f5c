#include "tokenizer/formats/sentence_piece.h"

#include <algorithm>
#include <limits>
#include <map>
#include <set>
#include <vector>

#include "aios/error.h"
#include "base/utf8.h"
#include "tokenizer/base64.h"
#include "tokenizer/formats/piece_merges.h"
#include "tokenizer/formats/protobuf.h"

namespace aios::tokenizer {
namespace {

using nlohmann::json;

constexpr std::string_view kMark = "\u2581";
/// The score of a piece that text never becomes: below any path of real ones.
constexpr double kNever = -1e30;

/// Numbers and defaults are those of sentencepiece_model.proto.
enum class PieceType : int32_t {
  kNormal = 1,
  kUnknown = 2,
  kControl = 3,
  kUserDefined = 4,
  kUnused = 5,
  kByte = 6,
};

struct Piece {
  std::string text;
  float score = 0;
  PieceType type = PieceType::kNormal;
};

struct SentencePieceModel {
  enum Kind : int32_t { kUnigram = 1, kBpe = 2 };

  std::vector<Piece> pieces;
  int32_t kind = kUnigram;
  bool byte_fallback = false;
  bool treat_whitespace_as_suffix = false;
  int32_t begin_id = 1, end_id = 2, pad_id = -1;
  std::string character_map;
  bool add_dummy_prefix = true;
  bool remove_extra_whitespaces = true;
  bool escape_whitespaces = true;
};

Piece read_piece(ProtobufReader reader) {
  Piece piece;
  while (const auto field = reader.next()) {
    if (field->number() == 1) {
      piece.text = field->as_bytes();
      if (find_invalid_utf8(piece.text) != piece.text.size()) field->fail("it is not UTF-8");
    } else if (field->number() == 2) {
      piece.score = field->as_float();
    } else if (field->number() == 3) {
      const int32_t type = field->as_int32();
      if (type < 1 || type > 6) field->fail("no type of piece is " + std::to_string(type));
      piece.type = static_cast<PieceType>(type);
    }
  }
  return piece;
}

void read_trainer(ProtobufReader reader, SentencePieceModel& model) {
  while (const auto field = reader.next()) {
    switch (field->number()) {
      case 3:
        model.kind = field->as_int32();
        if (model.kind != SentencePieceModel::kUnigram && model.kind != SentencePieceModel::kBpe) {
          field->fail("model type " + std::to_string(model.kind) +
                      " is not supported; unigram (1) and bpe (2) are");
        }
        break;
      case 24:
        model.treat_whitespace_as_suffix = field->as_bool();
        break;
      case 35:
        model.byte_fallback = field->as_bool();
        break;
      case 41:
        model.begin_id = field->as_int32();
        break;
      case 42:
        model.end_id = field->as_int32();
        break;
      case 43:
        model.pad_id = field->as_int32();
        break;
      default:
        break;
    }
  }
}

void read_normalizer(ProtobufReader reader, SentencePieceModel& model) {
  while (const auto field = reader.next()) {
    switch (field->number()) {
      case 2:
        model.character_map = field->as_bytes();
        break;
      case 3:
        model.add_dummy_prefix = field->as_bool();
        break;
      case 4:
        model.remove_extra_whitespaces = field->as_bool();
        break;
      case 5:
        model.escape_whitespaces = field->as_bool();
        break;
      default:
        break;
    }
  }
}

SentencePieceModel parse(std::string_view bytes, const std::string& file) {
  SentencePieceModel model;
  ProtobufReader reader(bytes, file);
  while (const auto field = reader.next()) {
    if (field->number() == 1) model.pieces.push_back(read_piece(field->as_message()));
    if (field->number() == 2) read_trainer(field->as_message(), model);
    if (field->number() == 3) read_normalizer(field->as_message(), model);
  }
  return model;
}

/// What the rest relies on; SentencePiece checks the same (model_interface.cc).
void check(const SentencePieceModel& model, const std::string& file) {
  std::set<std::string_view> texts;
  std::size_t num_unknown = 0;
  const auto fail = [&](std::size_t id, const std::string& why) {
    throw FormatError("'" + file + "' piece " + std::to_string(id) + ": " + why);
  };
  for (std::size_t id = 0; id < model.pieces.size(); ++id) {
    const Piece& piece = model.pieces[id];
    if (piece.text.empty()) fail(id, "it is empty");
    if (!texts.insert(piece.text).second) fail(id, quote(piece.text) + " comes twice");
    num_unknown += piece.type == PieceType::kUnknown ? 1 : 0;
    if (piece.type == PieceType::kUnused && model.kind == SentencePieceModel::kBpe) {
      fail(id, "unused pieces of a BPE model are not supported");
    }
  }
  if (num_unknown != 1) {
    throw FormatError("'" + file + "': it has " + std::to_string(num_unknown) +
                      " unknown pieces; a SentencePiece model has one");
  }
}

json make_normalizer(const SentencePieceModel& model) {
  json normalizer = {{"type", "SentencePiece"},
                     {"add_dummy_prefix", model.add_dummy_prefix},
                     {"remove_extra_whitespaces", model.remove_extra_whitespaces},
                     {"escape_whitespaces", model.escape_whitespaces},
                     {"treat_whitespace_as_suffix", model.treat_whitespace_as_suffix},
                     {"user_defined_symbols", json::array()}};
  if (!model.character_map.empty()) {
    normalizer["precompiled_charsmap"] = encode_base64(model.character_map);
  }
  for (const Piece& piece : model.pieces) {
    if (piece.type == PieceType::kUserDefined) {
      normalizer["user_defined_symbols"].push_back(piece.text);
    }
  }
  return normalizer;
}

/// Whether no piece has a mark behind another letter, so that words do not depend on each other.
bool can_split(const SentencePieceModel& model) {
  return std::all_of(model.pieces.begin(), model.pieces.end(), [](const Piece& piece) {
    std::string_view text = piece.text;
    while (text.starts_with(kMark)) text.remove_prefix(kMark.size());
    return text.find(kMark) == std::string_view::npos;
  });
}

/// In BPE user-defined pieces are never parted nor merged; Unigram gives them a good score instead.
json make_pre_tokenizer(const SentencePieceModel& model) {
  json stage = {
      {"type", "SentencePiece"}, {"split", can_split(model)}, {"user_defined", json::object()}};
  if (model.kind == SentencePieceModel::kUnigram) return stage;
  for (std::size_t id = 0; id < model.pieces.size(); ++id) {
    if (model.pieces[id].type == PieceType::kUserDefined) {
      stage["user_defined"][model.pieces[id].text] = id;
    }
  }
  return stage;
}

const Piece& unknown_of(const SentencePieceModel& model) {
  return *std::find_if(model.pieces.begin(), model.pieces.end(),
                       [](const Piece& piece) { return piece.type == PieceType::kUnknown; });
}

/// Scores as unigram_model.cc has them: the unknown one lies 10 below the lowest of the normal
/// pieces; that of a user-defined piece is its number of bytes times the highest, which is at least
/// FLT_MIN, less 0.1.
json make_unigram(const SentencePieceModel& model) {
  constexpr float kUnknownPenalty = 10;
  constexpr float kUserDefinedPenalty = 0.1F;
  float lowest = std::numeric_limits<float>::max();
  float highest = std::numeric_limits<float>::min();
  for (const Piece& piece : model.pieces) {
    if (piece.type != PieceType::kNormal) continue;
    lowest = std::min(lowest, piece.score);
    highest = std::max(highest, piece.score);
  }
  if (lowest > highest) lowest = 0;  // there is no normal piece
  json vocabulary = json::array();
  for (const Piece& piece : model.pieces) {
    double score = kNever;
    if (piece.type == PieceType::kNormal) score = piece.score;
    if (piece.type == PieceType::kUserDefined) {
      score = static_cast<float>(piece.text.size()) * highest - kUserDefinedPenalty;
    }
    vocabulary.push_back({piece.text, score});
  }
  return {{"type", "Unigram"},
          {"vocab", std::move(vocabulary)},
          {"unk_id", &unknown_of(model) - model.pieces.data()},
          {"unk_score", lowest - kUnknownPenalty},
          {"byte_fallback", model.byte_fallback}};
}

/// The best score merges first.
json make_bpe(const SentencePieceModel& model) {
  std::map<float, uint32_t, std::greater<>> ranks;
  json vocabulary = json::object();
  for (std::size_t id = 0; id < model.pieces.size(); ++id) {
    vocabulary[model.pieces[id].text] = id;
    if (model.pieces[id].type == PieceType::kNormal) ranks[model.pieces[id].score] = 0;
  }
  uint32_t next = 0;
  for (auto& [score, rank] : ranks) rank = next++;
  std::vector<RankedPiece> pieces;
  for (const Piece& piece : model.pieces) {
    if (piece.type == PieceType::kNormal) pieces.push_back({piece.text, ranks[piece.score]});
  }
  json merges = json::array();
  json merge_ranks = json::array();
  for (const PieceMerge& merge : list_merges(pieces)) {
    merges.push_back({pieces[merge.left].text, pieces[merge.right].text});
    merge_ranks.push_back(merge.rank);
  }
  return {{"type", "BPE"},
          {"vocab", std::move(vocabulary)},
          {"merges", std::move(merges)},
          {"ranks", std::move(merge_ranks)},
          {"unk_token", unknown_of(model).text},
          {"fuse_unk", true},
          {"byte_fallback", model.byte_fallback}};
}

json make_decoder(const SentencePieceModel& model) {
  const std::string space = model.escape_whitespaces ? std::string(kMark) : " ";
  json stages =
      json::array({{{"type", "Replace"}, {"pattern", {{"String", space}}}, {"content", " "}},
                   {{"type", "ByteFallback"}},
                   {{"type", "Fuse"}}});
  // One dummy goes; where spaces are collapsed, all that lead the text do.
  const int64_t num_leading = model.remove_extra_whitespaces ? INT32_MAX
                              : model.add_dummy_prefix       ? 1
                                                             : 0;
  stages.push_back({{"type", "Strip"}, {"content", " "}, {"start", num_leading}, {"stop", 0}});
  return {{"type", "Sequence"}, {"decoders", std::move(stages)}};
}

/// The pieces with the roles that the model gives, by key of tokenizer_config.json.
json make_roles(const SentencePieceModel& model) {
  json roles = {{"unk_token", unknown_of(model).text}};
  const auto add = [&](const char* key, int32_t id) {
    if (id < 0 || static_cast<std::size_t>(id) >= model.pieces.size()) return;
    const Piece& piece = model.pieces[static_cast<std::size_t>(id)];
    if (piece.type == PieceType::kControl) roles[key] = piece.text;
  };
  add("bos_token", model.begin_id);
  add("eos_token", model.end_id);
  add("pad_token", model.pad_id);
  return roles;
}

/// [begin] A [end] and, for a pair, [begin] B [end] behind it: transformers' update_post_processor.
json make_post_processor(const SentencePieceModel& model, const json& roles,
                         const FolderConfig& config) {
  const auto name = config.tokenizer_class();
  const bool begins = name == "LlamaTokenizer" || name == "GemmaTokenizer";
  json special = json::object();
  const auto frame = [&](const char* sequence, int type_id) {
    json parts = json::array();
    const auto add = [&](const char* flag, bool usual, const char* role) {
      if (!config.root().bool_or(flag, usual)) return;
      const std::string token = config.role(role, roles.value(role, ""));
      const auto piece =
          std::find_if(model.pieces.begin(), model.pieces.end(),
                       [&](const Piece& candidate) { return candidate.text == token; });
      if (piece == model.pieces.end())
        config.root().fail(std::string(flag) + ": there is no " + role);
      special[token] = {
          {"id", token}, {"ids", {piece - model.pieces.begin()}}, {"tokens", {token}}};
      parts.push_back({{"SpecialToken", {{"id", token}, {"type_id", type_id}}}});
    };
    add("add_bos_token", begins, "bos_token");
    parts.push_back({{"Sequence", {{"id", sequence}, {"type_id", type_id}}}});
    add("add_eos_token", false, "eos_token");
    return parts;
  };
  const json single = frame("A", 0);
  json pair = single;
  for (const json& part : frame("B", 1)) pair.push_back(part);
  return {{"type", "TemplateProcessing"},
          {"single", single},
          {"pair", pair},
          {"special_tokens", special}};
}

}  // namespace

TokenizerDocument read_sentence_piece(std::string_view bytes, const std::filesystem::path& file,
                                      const FolderConfig& config) {
  const SentencePieceModel model = parse(bytes, file.string());
  check(model, file.string());
  TokenizerDocument result{json::object(), make_roles(model)};
  json& document = result.document;
  json ids = json::object();
  json added = json::array();
  for (std::size_t id = 0; id < model.pieces.size(); ++id) {
    const Piece& piece = model.pieces[id];
    if (piece.type == PieceType::kControl || piece.type == PieceType::kUnknown) {
      ids[piece.text] = id;
      added.push_back(
          {{"id", id}, {"content", piece.text}, {"special", true}, {"normalized", false}});
    }
  }
  // Tokens of the folder's own files come after the model's pieces, or name them anew.
  for (json& token : config.added_tokens(ids, result.roles)) {
    const auto content = token.find("content");
    if (content == token.end() || !content->is_string() ||
        !ids.contains(content->get_ref<const std::string&>())) {
      added.push_back(std::move(token));
    }
  }
  document["added_tokens"] = std::move(added);
  document["normalizer"] = make_normalizer(model);
  document["pre_tokenizer"] = make_pre_tokenizer(model);
  document["model"] =
      model.kind == SentencePieceModel::kBpe ? make_bpe(model) : make_unigram(model);
  document["post_processor"] = make_post_processor(model, result.roles, config);
  document["decoder"] = make_decoder(model);
  return result;
}

}  // namespace aios::tokenizer
