#include <cstdio>
#include <map>
#include <memory>

#include "aios/model_files.h"
#include "cli/answers.h"
#include "cli/command.h"
#include "cli/interrupt.h"
#include "cli/output.h"
#include "cli/progress_bar.h"
#include "cli/text_input.h"

namespace aios {
namespace {

std::string with_unit(int64_t bytes) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.1f MB", static_cast<double>(bytes) / 1e6);
  return text;
}

std::string join(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

/// Runs convert_model or export_model with a bar and Ctrl-C, and answers with its report.
template <typename Options, typename Work>
void rewrite(const Session& session, Options options, const char* title, Work work) {
  ConvertReport report;
  {
    const Cancellable cancellable;
    ProgressBar bar(title);
    options.cancellation = cancellable.token();
    options.progress = bar.callback();
    report = work(options);
  }
  if (session.json) return write_output(to_line(to_json(report)));
  char text[160];
  std::snprintf(
      text, sizeof(text), "%lld tensors, %lld parameters, %s -> %s, %.2f bits per weight\n",
      static_cast<long long>(report.num_tensors), static_cast<long long>(report.num_parameters),
      with_unit(report.input_bytes).c_str(), with_unit(report.output_bytes).c_str(),
      report.bits_per_weight);
  write_output(text);
  if (report.weight_error > 0) {
    std::snprintf(text, sizeof(text), "relative squared error of the quantised weights: %.3g\n",
                  report.weight_error);
    write_output(text);
  }
  for (const auto& [name, before, after] : report.losses) {
    std::snprintf(text, sizeof(text), "%s %.4f -> %.4f\n", name.c_str(), before, after);
    write_output(text);
  }
}

void inspect(const Session& session, const std::string& directory) {
  const ModelSummary summary = inspect_model(directory);
  if (session.json) return write_output(to_line(to_json(summary)));
  std::string text = "family      " + summary.family + "\nformat      " + summary.format +
                     "\ncan         " + join(summary.modes) + "\nparameters  " +
                     std::to_string(summary.num_parameters) + "\nsize        " +
                     with_unit(summary.num_bytes) + "\n\n";
  for (const TensorSummary& tensor : summary.tensors) {
    std::string shape;
    for (const int64_t extent : tensor.shape) {
      shape += (shape.empty() ? "" : " x ") + std::to_string(extent);
    }
    char line[512];
    const bool quantized = tensor.quant_type != "none";
    std::snprintf(line, sizeof(line), "%-56.400s %-5s %s\n", tensor.name.c_str(),
                  (quantized ? tensor.quant_type : tensor.dtype).c_str(), shape.c_str());
    text += line;
  }
  write_output(text);
}

void verify(const Session& session, const std::string& directory) {
  VerifyReport report;
  {
    ProgressBar bar("verifying");
    report = verify_model(directory, bar.callback());
  }
  if (session.json) {
    return write_output(
        to_line({{"num_tensors", report.num_tensors}, {"num_bytes", report.num_bytes}}));
  }
  write_output("every byte is as it was written: " + std::to_string(report.num_tensors) +
               " tensors, " + with_unit(report.num_bytes) + "\n");
}

template <typename Options>
struct RewriteArguments {
  std::string input;
  std::string output;
  Options options;
};

CLI::Option* add_directory(CLI::App& command, const std::string& name, std::string& directory,
                           const std::string& description) {
  return command.add_option(name, directory, description)->type_name("")->required();
}

}  // namespace

void add_convert_command(CLI::App& app, Session& session) {
  struct Arguments : RewriteArguments<ConvertOptions> {
    std::string calibration;
    std::string eval;
  };
  auto state = std::make_shared<Arguments>();
  CLI::App& command = add_command(
      app, session, "convert", "write a model directory as Parquet V2", CommonFlags::kNone,
      [state, &session] {
        state->options.calibration_text = read_named_text("--calibration", state->calibration);
        state->options.eval_text = read_named_text("--eval", state->eval);
        rewrite(session, state->options, "converting", [&](const ConvertOptions& options) {
          return convert_model(state->input, state->output, options);
        });
      });
  add_directory(command, "IN", state->input, "model directory: Hugging Face, V1 or V2");
  add_directory(command, "OUT", state->output, "directory to write; appears whole or not at all");
  command
      .add_option("--dtype", state->options.dtype,
                  "keep|f32|bf16|f16|int8|int4|int2 (default keep)")
      ->type_name("TYPE");
  command
      .add_option("--group-size", state->options.group_size,
                  "weights that share a scale: 32|64|128, 0: whole rows")
      ->type_name("N");
  const std::map<std::string, Rounding> roundings = {{"nearest", Rounding::kNearest},
                                                     {"least-squares", Rounding::kLeastSquares},
                                                     {"gptq", Rounding::kGptq}};
  command
      .add_option("--rounding", state->options.rounding,
                  "nearest|least-squares|gptq (default gptq with a calibration text)")
      ->transform(CLI::CheckedTransformer(roundings))
      ->type_name("KIND");
  command
      .add_option("--calibration", state->calibration,
                  "text like what the model will read: weighs the errors of int8, int4, int2")
      ->type_name("FILE");
  command
      .add_option("--target-bits", state->options.target_bits,
                  "average bits of a weight: each matrix gets 2, 4 or 8 by what it costs")
      ->type_name("X");
  command.add_option("--eval", state->eval, "text to score before and after")->type_name("FILE");
  command.add_flag("--overwrite", state->options.overwrite, "replace OUT if it is there");
}

void add_export_command(CLI::App& app, Session& session) {
  auto state = std::make_shared<RewriteArguments<ExportOptions>>();
  CLI::App& command = add_command(
      app, session, "export", "write a model directory as safetensors", CommonFlags::kNone,
      [state, &session] {
        rewrite(session, state->options, "exporting", [&](const ExportOptions& options) {
          return export_model(state->input, state->output, options);
        });
      });
  add_directory(command, "IN", state->input, "model directory: Hugging Face, V1 or V2");
  add_directory(command, "OUT", state->output, "directory to write; appears whole or not at all");
  command.add_flag("--overwrite", state->options.overwrite, "replace OUT if it is there");
}

void add_inspect_command(CLI::App& app, Session& session) {
  auto directory = std::make_shared<std::string>();
  CLI::App& command =
      add_command(app, session, "inspect", "what a model directory holds", CommonFlags::kNone,
                  [directory, &session] { inspect(session, *directory); });
  add_directory(command, "DIR", *directory, "model directory");
}

void add_verify_command(CLI::App& app, Session& session) {
  auto directory = std::make_shared<std::string>();
  CLI::App& command =
      add_command(app, session, "verify", "check every byte of a model directory",
                  CommonFlags::kNone, [directory, &session] { verify(session, *directory); });
  add_directory(command, "DIR", *directory, "model directory");
}

}  // namespace aios
