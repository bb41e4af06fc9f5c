#include <iostream>
#include <memory>

#include "aios/engine.h"
#include "aios/error.h"
#include "cli/answers.h"
#include "cli/command.h"
#include "cli/interrupt.h"
#include "cli/model_choice.h"
#include "cli/output.h"
#include "cli/progress_bar.h"
#include "cli/text_input.h"

namespace aios {
namespace {

struct EncodeCommand {
  TextListArgument texts;
  OptionFlags<EncodeConfig> flags;
  std::string format = "json";
  std::string output;

  void check_format() const {
    if (format != "json" && format != "npy" && format != "parquet") {
      throw ConfigError("--format must be one of json|npy|parquet, not '" + format + "'");
    }
    if (format != "json" && output.empty()) {
      throw ConfigError("--format " + format + " needs --output FILE");
    }
  }

  void write(const Session& session, std::span<const std::string> inputs,
             const EncodeResult& result) const {
    const auto rows = static_cast<int64_t>(inputs.size());
    if (format == "npy") return save_npy(output, rows, result.dimension, result.embeddings);
    if (format == "parquet") return save_embeddings(output, inputs, result);
    std::string lines;
    if (session.json) {
      lines = to_line(to_json(inputs, result));
    } else {
      for (std::size_t i = 0; i < inputs.size(); ++i) lines += to_line(Json(result.embedding(i)));
    }
    if (output.empty()) return write_output(lines);
    save_text(output, lines);
  }

  void run(const Session& session) const {
    check_format();
    Options options = session.options();
    flags.apply(options.encode);
    const std::vector<std::string> inputs = texts.read();
    ArrowEngine engine(choose_model(session.model, kDefaultEncoder), options.engine);

    EncodeResult result;
    {
      const Cancellable cancellable;
      ProgressBar bar("encoding");
      options.encode.cancellation = cancellable.token();
      options.encode.progress = bar.callback();
      result = engine.encode(inputs, options.encode);
    }
    report_truncated(result);
    write(session, inputs, result);
  }

  static void report_truncated(const EncodeResult& result) {
    const auto count = std::count(result.truncated.begin(), result.truncated.end(), true);
    if (count == 0) return;
    std::cerr << "warning: " << count << (count == 1 ? " text was" : " texts were")
              << " longer than the model reads, and lost the end" << std::endl;
  }
};

}  // namespace

void add_encode_command(CLI::App& app, Session& session) {
  auto state = std::make_shared<EncodeCommand>();
  CLI::App& command =
      add_command(app, session, "encode", "turn texts into vectors, one JSON array a line",
                  CommonFlags::kModel, [state, &session] { state->run(session); });
  state->texts.add_to(command);
  state->flags.add_to(command);
  command.add_option("--format", state->format, "json|npy|parquet (default json)")
      ->type_name("FORMAT");
  command.add_option("--output", state->output, "write to a file instead of standard output")
      ->type_name("FILE");
}

}  // namespace aios
