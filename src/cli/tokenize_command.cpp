#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "aios/error.h"
#include "aios/tokenizer.h"
#include "cli/answers.h"
#include "cli/command.h"
#include "cli/model_choice.h"
#include "cli/output.h"
#include "cli/text_input.h"
#include "cli/token_view.h"

namespace aios {
namespace {

constexpr std::size_t kFlushBytes = 1U << 16U;

/// Writes what `convert(line, number)` makes of each line.
template <typename Convert>
void convert_lines(const std::vector<std::string>& lines, Convert convert) {
  std::string text;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    text += convert(lines[i], i + 1);
    if (text.size() >= kFlushBytes) {
      write_output(text);
      text.clear();
    }
  }
  write_output(text);
}

void add_input(CLI::App& command, std::string& input) {
  command.add_option("--input", input, "file, or - for standard input (default)")
      ->type_name("FILE");
}

Json token_texts(const FastTokenizer& tokenizer, std::span<const int32_t> ids) {
  Json texts = Json::array();
  for (const int32_t id : ids) {
    const auto text = tokenizer.id_to_token(id);
    texts.push_back(text ? Json(*text) : Json(nullptr));
  }
  return texts;
}

Json to_json(const Encoding& encoding, const FastTokenizer& tokenizer) {
  Json words = Json::array();
  for (const int32_t word : encoding.word_ids) {
    words.push_back(word < 0 ? Json(nullptr) : Json(word));
  }
  return {{"ids", encoding.ids},
          {"tokens", token_texts(tokenizer, encoding.ids)},
          {"offsets", encoding.offsets},
          {"word_ids", words},
          {"type_ids", encoding.type_ids},
          {"special_tokens_mask", encoding.special_tokens_mask},
          {"attention_mask", encoding.attention_mask}};
}

/// [[id, begin, end], …]
Json with_offsets(const Encoding& encoding) {
  Json triples = Json::array();
  for (std::size_t i = 0; i < encoding.ids.size(); ++i) {
    const auto [begin, end] = encoding.offsets[i];
    triples.push_back({encoding.ids[i], begin, end});
  }
  return triples;
}

struct TokenizeCommand {
  TextListArgument texts;
  std::string offsets;  // bytes, characters, or empty: none asked for
  bool no_special_tokens = false;
  bool pairs = false;
  bool show = false;

  void run(const Session& session) const {
    if (!offsets.empty() && offsets != "bytes" && offsets != "characters") {
      throw ConfigError("--offsets must be bytes or characters, not '" + offsets + "'");
    }
    if (show && (session.json || !offsets.empty())) {
      throw ConfigError("--show is for readers: leave out " +
                        std::string(session.json ? "--json" : "--offsets"));
    }
    const auto tokenizer = FastTokenizer::from_file(choose_model(session.model, kDefaultModel));
    const bool colors = output_has_colors();
    convert_lines(texts.read(), [&](const std::string& line, std::size_t number) {
      const Encoding encoding = encode(tokenizer, line, number);
      if (show) return show_tokens(tokenizer, encoding.ids, colors);
      if (session.json) return to_line(to_json(encoding, tokenizer));
      return to_line(offsets.empty() ? Json(encoding.ids) : with_offsets(encoding));
    });
  }

 private:
  [[nodiscard]] Encoding encode(const FastTokenizer& tokenizer, const std::string& line,
                                std::size_t number) const {
    TokenizeOptions options;
    options.add_special_tokens = !no_special_tokens;
    options.offsets_in_characters = offsets == "characters";
    if (!pairs) return tokenizer.encode(line, options);
    const std::size_t tab = line.find('\t');
    if (tab == std::string::npos || line.find('\t', tab + 1) != std::string::npos) {
      throw ConfigError("line " + std::to_string(number) +
                        ": --pairs takes two texts a line, with one tab between them");
    }
    return tokenizer.encode_pair(line.substr(0, tab), line.substr(tab + 1), options);
  }
};

struct DetokenizeCommand {
  std::string input = "-";
  bool special_tokens = false;
  bool show = false;

  void run(const Session& session) const {
    if (show && session.json) throw ConfigError("--show is for readers: leave out --json");
    const auto tokenizer = FastTokenizer::from_file(choose_model(session.model, kDefaultModel));
    const bool colors = output_has_colors();
    convert_lines(read_lines(input), [&](const std::string& line, std::size_t number) {
      const std::vector<int32_t> ids = parse_ids(line, number);
      if (show) return show_tokens(tokenizer, ids, colors);
      if (session.json) return to_line(answer(tokenizer, ids));
      return tokenizer.decode(ids, !special_tokens) + "\n";
    });
  }

 private:
  static std::vector<int32_t> parse_ids(const std::string& line, std::size_t number) {
    try {
      return Json::parse(line).get<std::vector<int32_t>>();
    } catch (const Json::exception&) {
      throw ConfigError("line " + std::to_string(number) +
                        " is no JSON array of token ids, as `aios tokenize` writes them");
    }
  }

  /// The offsets are those of the text that each token completes.
  [[nodiscard]] Json answer(const FastTokenizer& tokenizer, std::span<const int32_t> ids) const {
    StreamingDecoder decoder(tokenizer, !special_tokens);
    Json ranges = Json::array();
    std::string text;
    for (std::size_t i = 0; i < ids.size(); ++i) {
      const std::size_t begin = text.size();
      text += decoder.push(ids[i]);
      if (i + 1 == ids.size()) text += decoder.finish();
      ranges.push_back({begin, text.size()});
    }
    return {
        {"text", text}, {"ids", ids}, {"tokens", token_texts(tokenizer, ids)}, {"offsets", ranges}};
  }
};

}  // namespace

void add_tokenize_command(CLI::App& app, Session& session) {
  auto state = std::make_shared<TokenizeCommand>();
  CLI::App& command =
      add_command(app, session, "tokenize", "a JSON array of ids for each line of text",
                  CommonFlags::kModelDirectory, [state, &session] { state->run(session); });
  state->texts.add_to(command, "-");
  command.add_flag("--no-special-tokens", state->no_special_tokens,
                   "do not add begin and end tokens");
  command
      .add_option("--offsets", state->offsets,
                  "[id, begin, end] for each token, in bytes or characters of its text")
      ->type_name("bytes|characters");
  command.add_flag("--pairs", state->pairs, "each line is two texts, with a tab between them");
  command.add_flag("--show", state->show, "the tokens as text, in colours on a terminal");
}

void add_detokenize_command(CLI::App& app, Session& session) {
  auto state = std::make_shared<DetokenizeCommand>();
  CLI::App& command =
      add_command(app, session, "detokenize", "text for each line, a JSON array of ids",
                  CommonFlags::kModelDirectory, [state, &session] { state->run(session); });
  add_input(command, state->input);
  command.add_flag("--special-tokens", state->special_tokens, "write special tokens too");
  command.add_flag("--show", state->show, "the tokens as text, in colours on a terminal");
}

}  // namespace aios
