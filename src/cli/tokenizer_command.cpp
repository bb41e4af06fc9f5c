#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "aios/error.h"
#include "aios/tokenizer.h"
#include "cli/answers.h"
#include "cli/command.h"
#include "cli/output.h"

namespace aios {
namespace {

struct TrainCommand {
  std::vector<std::string> files;
  std::string kind = "bpe";
  std::string output;
  bool cased = false;
  TokenizerTrainingConfig config;

  void run(const Session& session) {
    if (kind != "bpe" && kind != "wordpiece") {
      throw ConfigError("--kind must be bpe or wordpiece, not '" + kind + "'");
    }
    config.kind = kind == "bpe" ? TokenizerKind::kBpe : TokenizerKind::kWordPiece;
    config.lowercase = !cased;
    const auto begin = std::chrono::steady_clock::now();
    const std::string document = train_tokenizer(files, config);
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
    std::filesystem::path file(output);
    if (std::filesystem::is_directory(file)) file /= "tokenizer.json";
    const std::string path = file.string();
    save_text(path, document);
    const int32_t vocab_size = FastTokenizer::from_json(document).vocab_size();
    if (session.json) {
      write_output(to_line({{"output", path},
                            {"vocab_size", vocab_size},
                            {"seconds", {{"train", seconds.count()}}}}));
    } else {
      write_output("wrote " + path + ": " + std::to_string(vocab_size) + " tokens\n");
    }
  }
};

}  // namespace

void add_tokenizer_commands(CLI::App& app, Session& session) {
  CLI::App& group = *app.add_subcommand("tokenizer", "make tokenizers");
  group.require_subcommand(1);
  auto state = std::make_shared<TrainCommand>();
  CLI::App& train = add_command(group, session, "train", "a tokenizer.json from text files",
                                CommonFlags::kNone, [state, &session] { state->run(session); });
  train.add_option("FILE", state->files, "text files, UTF-8")->type_name("")->required();
  train.add_option("--output", state->output, "file to write, or the folder of a tokenizer.json")
      ->type_name("FILE")
      ->required();
  train
      .add_option("--kind", state->kind, "bytes and their merges (default), or BERT's word pieces")
      ->type_name("bpe|wordpiece");
  TokenizerTrainingConfig& config = state->config;
  train
      .add_option("--vocab-size", config.vocab_size,
                  "tokens, special ones included (default 30000)")
      ->type_name("N");
  train.add_option("--min-frequency", config.min_frequency, "of a pair that merges (default 0)")
      ->type_name("N");
  train
      .add_option("--limit-alphabet", config.limit_alphabet,
                  "wordpiece: characters kept, the most frequent ones (default all)")
      ->type_name("N");
  train
      .add_option("--max-token-length", config.max_token_length,
                  "merges stay below it (default any length)")
      ->type_name("N");
  train
      .add_option("--special-token", config.special_tokens,
                  "one more special token; may be repeated")
      ->type_name("TOKEN")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->allow_extra_args(false);
  train.add_flag("--cased", state->cased, "wordpiece: keep capitals and accents apart");
}

}  // namespace aios
