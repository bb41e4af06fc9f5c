#include "tokenizer/formats/tiktoken.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <vector>

#include "aios/error.h"
#include "tokenizer/base64.h"
#include "tokenizer/byte_alphabet.h"
#include "tokenizer/formats/piece_merges.h"
#include "tokenizer/utf8.h"

namespace aios::tokenizer {
namespace {

using nlohmann::json;

// tiktoken's patterns (tiktoken_ext/openai_public.py) and those of the models' publishers, in the
// syntax of tokenizer.json: `$`, which Rust means as the end of the text, is `\z`, and possessive
// counts are greedy where that is the same.
constexpr std::string_view kR50kPattern =
    R"('(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";
constexpr std::string_view kCl100kPattern =
    R"('(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}| ?[^\s\p{L}\p{N}]++[\r\n]*+|)"
    R"(\s++(?![\s\S])|\s*[\r\n]|\s+(?!\S)|\s)";
constexpr std::string_view kO200kPattern =
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+)"
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)?|)"
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*)"
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|)"
    R"(\s+(?!\S)|\s+)";
constexpr std::string_view kLlama3Pattern =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|)"
    R"( ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kQwenPattern =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|)"
    R"(\s*[\r\n]+|\s+(?!\S)|\s+)";

struct Special {
  std::string_view content;
  int32_t id;
};

struct Encoding {
  std::string_view name;  // of the file, without its ending
  std::string_view pattern;
  std::array<Special, 5> special;  // empty ones: none
};

constexpr std::array<Encoding, 7> kEncodings = {{
    {"cl100k_base",
     kCl100kPattern,
     {{{"<|endoftext|>", 100257},
       {"<|fim_prefix|>", 100258},
       {"<|fim_middle|>", 100259},
       {"<|fim_suffix|>", 100260},
       {"<|endofprompt|>", 100276}}}},
    {"o200k_base", kO200kPattern, {{{"<|endoftext|>", 199999}, {"<|endofprompt|>", 200018}}}},
    {"p50k_base", kR50kPattern, {{{"<|endoftext|>", 50256}}}},
    {"r50k_base", kR50kPattern, {{{"<|endoftext|>", 50256}}}},
    {"gpt2", kR50kPattern, {{{"<|endoftext|>", 50256}}}},
    {"qwen",
     kQwenPattern,
     {{{"<|endoftext|>", 151643}, {"<|im_start|>", 151644}, {"<|im_end|>", 151645}}}},
    {"tokenizer", kLlama3Pattern, {}},
}};

using Ranks = std::map<std::string, uint32_t>;

Ranks parse(std::string_view text, const std::string& file) {
  Ranks ranks;
  std::size_t number = 0;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    ++number;
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty()) continue;
    const auto fail = [&](const std::string& why) {
      throw FormatError("'" + file + "' line " + std::to_string(number) + ": " + why);
    };
    const std::size_t space = line.find(' ');
    if (space == std::string_view::npos) fail("expected a token in base64, a space and its rank");
    const auto token = decode_base64(line.substr(0, space));
    if (!token || token->empty()) fail(quote(line.substr(0, space)) + " is not base64");
    const std::string_view digits = line.substr(space + 1);
    uint32_t rank = 0;
    const auto [stop, error] = std::from_chars(digits.data(), digits.data() + digits.size(), rank);
    if (error != std::errc() || stop != digits.data() + digits.size() || rank > INT32_MAX) {
      fail(quote(digits) + " is no rank");
    }
    if (!ranks.emplace(*token, rank).second) fail("the token comes twice");
  }
  return ranks;
}

void check_bytes(const Ranks& ranks, const std::string& file) {
  for (int byte = 0; byte < 256; ++byte) {
    if (ranks.contains(std::string(1, static_cast<char>(byte)))) continue;
    throw FormatError("'" + file + "': byte " + std::to_string(byte) +
                      " is no token: some texts could not be written");
  }
}

/// A byte string in the letters of ByteLevel.
std::string in_letters(std::string_view bytes) {
  std::string letters;
  for (const char byte : bytes)
    append_utf8(letter_of_byte(static_cast<unsigned char>(byte)), letters);
  return letters;
}

/// Added tokens are in the vocabulary too: their ids may leave gaps.
json make_model(const Ranks& ranks, const json& added) {
  json vocabulary = json::object();
  for (const json& token : added) {
    const auto content = token.find("content");
    if (content == token.end() || !content->is_string()) continue;  // refused later
    vocabulary[content->get_ref<const std::string&>()] = token.at("id").get<uint32_t>();
  }
  std::vector<RankedPiece> pieces;
  for (const auto& [token, rank] : ranks) {
    vocabulary[in_letters(token)] = rank;
    pieces.push_back({token, rank});
  }
  json merges = json::array();
  json merge_ranks = json::array();
  for (const PieceMerge& merge : list_merges(pieces)) {
    merges.push_back({in_letters(pieces[merge.left].text), in_letters(pieces[merge.right].text)});
    merge_ranks.push_back(merge.rank);
  }
  return {{"type", "BPE"},
          {"vocab", std::move(vocabulary)},
          {"merges", std::move(merges)},
          {"ranks", std::move(merge_ranks)},
          {"ignore_merges", true}};
}

const Encoding* find_encoding(const std::filesystem::path& file) {
  const std::string stem = file.stem().string();
  const auto* found = std::find_if(kEncodings.begin(), kEncodings.end(),
                                   [&](const Encoding& entry) { return entry.name == stem; });
  return found == kEncodings.end() ? nullptr : found;
}

std::string pattern_of(const Encoding* encoding, const std::filesystem::path& file,
                       const FolderConfig& config) {
  if (const auto pattern = config.root().find("pat_str")) return pattern->as_string();
  if (encoding != nullptr) return std::string(encoding->pattern);
  std::string known;
  for (const Encoding& entry : kEncodings) {
    known.append(known.empty() ? "" : ", ").append(entry.name);
  }
  config.root().fail("'" + file.filename().string() +
                     "' does not say how to split text: give \"pat_str\", a regular expression, or "
                     "the file one of the known names " +
                     known);
}

}  // namespace

TokenizerDocument read_tiktoken(std::string_view text, const std::filesystem::path& file,
                                const FolderConfig& config) {
  const Ranks ranks = parse(text, file.string());
  check_bytes(ranks, file.string());
  const Encoding* encoding = find_encoding(file);
  const json split = {{"type", "Split"},
                      {"pattern", {{"Regex", pattern_of(encoding, file, config)}}},
                      {"behavior", "Isolated"},
                      {"invert", false}};
  const json byte_level = {{"type", "ByteLevel"},
                           {"add_prefix_space", false},
                           {"trim_offsets", false},
                           {"use_regex", false}};
  TokenizerDocument result{json::object(), json::object()};
  json added = config.added_tokens(json::object(), json::object());
  if (added.empty() && encoding != nullptr) {
    for (const Special& token : encoding->special) {
      if (token.content.empty()) continue;
      added.push_back(
          {{"id", token.id}, {"content", token.content}, {"special", true}, {"normalized", false}});
      if (token.content == "<|endoftext|>") result.roles["eos_token"] = token.content;
    }
  }
  json model = make_model(ranks, added);
  result.document = {
      {"added_tokens", std::move(added)},
      {"pre_tokenizer", {{"type", "Sequence"}, {"pretokenizers", {split, byte_level}}}},
      {"model", std::move(model)},
      {"decoder", byte_level}};
  return result;
}

}  // namespace aios::tokenizer
