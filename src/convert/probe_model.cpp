#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <memory>

#include "aios/error.h"
#include "aios/model_files.h"
#include "convert/quantization_policy.h"
#include "convert/weight_probe.h"

namespace aios {
namespace {

constexpr int kCell = 22;  // pixels
constexpr int kMargin = 130;

/// From white over orange to dark red.
std::string colour(double share) {
  const auto mix = [&](double from, double middle, double to) {
    const double value =
        share < 0.5 ? from + (middle - from) * 2 * share : middle + (to - middle) * (2 * share - 1);
    return static_cast<int>(std::lround(value));
  };
  char text[8];
  std::snprintf(text, sizeof(text), "#%02x%02x%02x", mix(255, 245, 120), mix(250, 150, 0),
                mix(240, 60, 20));
  return text;
}

const ProbeReport::Width& width_of(const ProbeReport::Tensor& tensor,
                                   const std::string& quant_type) {
  const auto found = std::ranges::find(tensor.widths, quant_type, &ProbeReport::Width::quant_type);
  if (found == tensor.widths.end()) {
    throw ConfigError("the probe has no figures of '" + quant_type + "'");
  }
  return *found;
}

std::string text_at(int x, int y, const std::string& text, const char* anchor) {
  return "<text x=\"" + std::to_string(x) + "\" y=\"" + std::to_string(y) + "\" text-anchor=\"" +
         anchor + "\">" + text + "</text>\n";
}

}  // namespace

ProbeReport probe_model(const std::string& directory, const ProbeOptions& options) {
  const LoadedModel model(directory, EngineConfig{});
  const std::unique_ptr<WeightLoader> weights = WeightLoader::open(directory);
  require_floats(*weights);
  const Calibration calibration(model, options.calibration_text);
  ProbeReport report;
  for (const ProbedWeight& weight :
       WeightProbe(model, *weights, calibration).run(options.progress, options.cancellation)) {
    ProbeReport::Tensor& tensor = report.tensors.emplace_back();
    tensor.name = weight.name;
    tensor.kind = weight_kind_name(weight.role.kind);
    tensor.layer = weight.role.layer;
    tensor.num_parameters = weight.num_parameters;
    for (const ProbedWeight::Width& width : weight.widths) {
      tensor.widths.push_back({std::string(quant_type_name(width.format.type)), width.bits,
                               width.output_error, width.loss_change});
    }
  }
  return report;
}

std::string probe_heat_map(const ProbeReport& report, const std::string& quant_type) {
  std::map<std::string, int> columns;  // of kinds, in the order they first stand in a layer
  int64_t num_layers = 0;
  double largest = 0;
  for (const auto& tensor : report.tensors) {
    columns.emplace(tensor.kind, static_cast<int>(columns.size()));
    num_layers = std::max(num_layers, tensor.layer + 1);
    largest = std::max(largest, width_of(tensor, quant_type).loss_change);
  }
  const int rows = static_cast<int>(num_layers) + 1;  // the first for what stands outside of layers
  const int width = kMargin + kCell * static_cast<int>(columns.size()) + kMargin;
  const int height = kMargin + kCell * rows + kCell;
  std::string svg = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" + std::to_string(width) +
                    "\" height=\"" + std::to_string(height) +
                    "\" font-family=\"sans-serif\" font-size=\"12\">\n"
                    "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n";
  for (const auto& [kind, column] : columns) {
    const std::string place = std::to_string(kMargin + column * kCell + kCell / 2 + 4) + "," +
                              std::to_string(kMargin - 6);
    svg += "<text transform=\"translate(" + place + ") rotate(-60)\">" + kind + "</text>\n";
  }
  for (int row = 0; row < rows; ++row) {
    const std::string label = row == 0 ? "outside of layers" : "layer " + std::to_string(row - 1);
    svg += text_at(kMargin - 6, kMargin + row * kCell + 15, label, "end");
  }
  for (const auto& tensor : report.tensors) {
    const double loss = width_of(tensor, quant_type).loss_change;
    const double share = largest > 0 ? std::sqrt(std::clamp(loss / largest, 0.0, 1.0)) : 0;
    char figure[32];
    std::snprintf(figure, sizeof(figure), "%+.4g", loss);
    svg += "<rect x=\"" + std::to_string(kMargin + columns[tensor.kind] * kCell) + "\" y=\"" +
           std::to_string(kMargin + static_cast<int>(tensor.layer + 1) * kCell) + "\" width=\"" +
           std::to_string(kCell - 1) + "\" height=\"" + std::to_string(kCell - 1) + "\" fill=\"" +
           colour(share) + "\"><title>" + tensor.kind + ": " + figure + "</title></rect>\n";
  }
  char legend[96];
  std::snprintf(legend, sizeof(legend), "loss at %s: white 0, dark %.3g, by the square root",
                quant_type.c_str(), largest);
  return svg + text_at(kMargin, height - 6, legend, "start") + "</svg>\n";
}

}  // namespace aios
