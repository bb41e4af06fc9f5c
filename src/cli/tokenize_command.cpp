#include <memory>
#include <string>

#include "aios/error.h"
#include "aios/tokenizer.h"
#include "cli/answers.h"
#include "cli/command.h"
#include "cli/model_choice.h"
#include "cli/output.h"
#include "cli/text_input.h"

namespace aios {
namespace {

constexpr std::size_t kFlushBytes = 1U << 16U;

/// Writes a line for each line of the input.
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

std::vector<int32_t> parse_ids(const std::string& line, std::size_t number) {
  try {
    return Json::parse(line).get<std::vector<int32_t>>();
  } catch (const Json::exception&) {
    throw ConfigError("line " + std::to_string(number) +
                      " is no JSON array of token ids, as `aios tokenize` writes them");
  }
}

struct TokenizeCommand {
  std::string input = "-";
  bool no_special_tokens = false;

  void tokenize(const Session& session) const {
    const auto tokenizer = FastTokenizer::from_file(choose_model(session.model, kDefaultModel));
    TokenizeOptions options;
    options.add_special_tokens = !no_special_tokens;
    convert_lines(read_lines(input), [&](const std::string& line, std::size_t) {
      return to_line(Json(tokenizer.encode(line, options).ids));
    });
  }

  void detokenize(const Session& session) const {
    const auto tokenizer = FastTokenizer::from_file(choose_model(session.model, kDefaultModel));
    convert_lines(read_lines(input), [&](const std::string& line, std::size_t number) {
      return tokenizer.decode(parse_ids(line, number)) + "\n";
    });
  }
};

}  // namespace

void add_tokenize_command(CLI::App& app, Session& session) {
  auto state = std::make_shared<TokenizeCommand>();
  CLI::App& command =
      add_command(app, session, "tokenize", "a JSON array of ids for each line of text",
                  CommonFlags::kModelDirectory, [state, &session] { state->tokenize(session); });
  command.add_option("--input", state->input, "file, or - for standard input (default)")
      ->type_name("FILE");
  command.add_flag("--no-special-tokens", state->no_special_tokens,
                   "do not add begin and end tokens");
}

void add_detokenize_command(CLI::App& app, Session& session) {
  auto state = std::make_shared<TokenizeCommand>();
  CLI::App& command =
      add_command(app, session, "detokenize", "text for each line, a JSON array of ids",
                  CommonFlags::kModelDirectory, [state, &session] { state->detokenize(session); });
  command.add_option("--input", state->input, "file, or - for standard input (default)")
      ->type_name("FILE");
}

}  // namespace aios
