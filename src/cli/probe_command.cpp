#include <cstdio>
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

struct ProbeArguments {
  std::string directory;
  std::string calibration;
  std::string image;
};

std::string table_of(const ProbeReport& report) {
  char line[640];
  std::snprintf(line, sizeof(line), "%-56s %10s   %s\n", "", "",
                "int2: error  loss      int4: error  loss      int8: error  loss");
  std::string text = line;
  for (const ProbeReport::Tensor& tensor : report.tensors) {
    std::snprintf(line, sizeof(line), "%-56.400s %10lld ", tensor.name.c_str(),
                  static_cast<long long>(tensor.num_parameters));
    text += line;
    for (const ProbeReport::Width& width : tensor.widths) {
      std::snprintf(line, sizeof(line), "  %10.3g %+9.5f", width.output_error, width.loss_change);
      text += line;
    }
    text += '\n';
  }
  return text;
}

void probe(const Session& session, const ProbeArguments& arguments) {
  ProbeReport report;
  {
    const Cancellable cancellable;
    ProgressBar bar("probing");
    ProbeOptions options;
    options.calibration_text = read_named_text("--calibration", arguments.calibration);
    options.cancellation = cancellable.token();
    options.progress = bar.callback();
    report = probe_model(arguments.directory, options);
  }
  if (!arguments.image.empty()) save_text(arguments.image, probe_heat_map(report, "int2"));
  write_output(session.json ? to_line(to_json(report)) : table_of(report));
}

}  // namespace

void add_probe_command(CLI::App& app, Session& session) {
  auto state = std::make_shared<ProbeArguments>();
  CLI::App& command =
      add_command(app, session, "probe", "what rounding each matrix of a model would cost",
                  CommonFlags::kNone, [state, &session] { probe(session, *state); });
  command.add_option("DIR", state->directory, "model directory")->type_name("")->required();
  command.add_option("--calibration", state->calibration, "text like what the model will read")
      ->type_name("FILE")
      ->required();
  command.add_option("--image", state->image, "also write a heat map of int2's loss (SVG)")
      ->type_name("FILE");
}

}  // namespace aios
