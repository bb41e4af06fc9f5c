#include <cstdio>
#include <memory>

#include "aios/engine.h"
#include "aios/error.h"
#include "base/text_file.h"
#include "cli/answers.h"
#include "cli/command.h"
#include "cli/interrupt.h"
#include "cli/model_choice.h"
#include "cli/output.h"
#include "cli/progress_bar.h"
#include "cli/text_input.h"

namespace aios {
namespace {

constexpr std::size_t kMaxDocumentBytes = std::size_t{1} << 30U;

std::string describe(const ScoreResult& result, ScoreMode mode) {
  const bool bound = mode == ScoreMode::kDiffusion;
  char error[32] = "";
  if (bound) std::snprintf(error, sizeof(error), " +- %.4f", result.standard_error);
  char text[512];
  std::snprintf(text, sizeof(text),
                "perplexity      %s%.2f\n"
                "nats per token  %.4f%s\n"
                "nats per byte   %.4f\n"
                "bits per byte   %.4f\n"
                "%lld tokens, %lld bytes, %lld windows\n",
                bound ? "at most " : "", result.perplexity, result.nats_per_token, error,
                result.nats_per_byte, result.bits_per_byte,
                static_cast<long long>(result.num_tokens), static_cast<long long>(result.num_bytes),
                static_cast<long long>(result.num_windows));
  return text;
}

struct ScoreCommand {
  std::vector<std::string> files;
  OptionFlags<ScoreConfig> flags;

  void run(const Session& session) const {
    Options options = session.options();
    flags.apply(options.score);
    std::vector<std::string> documents;
    for (const std::string& file : files) {
      documents.push_back(read_text_file(file, kMaxDocumentBytes));
      if (documents.back().empty()) throw ConfigError(file + ": it has no text to score");
      check_utf8(documents.back(), file);
    }
    ArrowEngine engine(choose_model(session.model, kDefaultModel), options.engine);

    ScoreResult result;
    {
      const Cancellable cancellable;
      ProgressBar bar("scoring");
      options.score.cancellation = cancellable.token();
      options.score.progress = bar.callback();
      result = engine.score(documents, options.score);
    }
    write_output(session.json ? to_line(to_json(result)) : describe(result, options.score.mode));
  }
};

}  // namespace

void add_score_command(CLI::App& app, Session& session) {
  auto state = std::make_shared<ScoreCommand>();
  CLI::App& command = add_command(app, session, "score", "how likely texts are",
                                  CommonFlags::kModel, [state, &session] { state->run(session); });
  command.add_option("FILE", state->files, "documents, or - for standard input")
      ->type_name("")
      ->required();
  state->flags.add_to(command);
}

}  // namespace aios
