#include "model/rotary.h"

#include <cmath>
#include <numbers>
#include <string>

namespace aios {
namespace {

/// Llama 3.1: wavelengths beyond the original context are stretched by `factor`, short ones are
/// left alone, and those between go smoothly from one to the other.
float llama3_frequency(float frequency, const RopeSpec& rope) {
  const auto factor = static_cast<float>(rope.factor);
  const auto low_freq_factor = static_cast<float>(rope.low_freq_factor);
  const auto high_freq_factor = static_cast<float>(rope.high_freq_factor);
  const auto original_length = static_cast<float>(rope.original_max_position_embeddings);

  const float wavelength = 2.0F * std::numbers::pi_v<float> / frequency;
  if (wavelength > original_length / low_freq_factor) return frequency / factor;
  if (wavelength < original_length / high_freq_factor) return frequency;
  const float smooth =
      (original_length / wavelength - low_freq_factor) / (high_freq_factor - low_freq_factor);
  return (1.0F - smooth) * frequency / factor + smooth * frequency;
}

}  // namespace

RopeSpec parse_rope(const ConfigReader& config) {
  RopeSpec rope;
  const auto parameters = config.object("rope_parameters");
  const auto legacy = config.object("rope_scaling");
  const double theta = config.number("rope_theta", rope.theta);
  rope.theta = parameters ? parameters->number("rope_theta", theta) : theta;

  if (!parameters && !legacy) return rope;
  const ConfigReader& scaling = parameters ? *parameters : *legacy;
  const char* type_key = scaling.has("rope_type") ? "rope_type" : "type";
  const std::string type = scaling.text(type_key, "default");
  scaling.require("partial_rotary_factor", 1.0);
  if (type == "default") return rope;
  if (type != "linear" && type != "llama3") {
    scaling.refuse(type_key, "one of default, linear, llama3");
  }
  rope.factor = scaling.number("factor");
  rope.scaling = RopeScaling::kLinear;
  if (type == "linear") return rope;

  rope.scaling = RopeScaling::kLlama3;
  rope.low_freq_factor = scaling.number("low_freq_factor");
  rope.high_freq_factor = scaling.number("high_freq_factor");
  if (rope.high_freq_factor <= rope.low_freq_factor) {
    scaling.refuse("high_freq_factor", "above low_freq_factor");
  }
  rope.original_max_position_embeddings = scaling.size("original_max_position_embeddings");
  return rope;
}

Rotary make_rotary(const RopeSpec& rope, int64_t head_dim) {
  Rotary rotary;
  const auto theta = static_cast<float>(rope.theta);
  for (int64_t i = 0; i < head_dim; i += 2) {
    const float exponent = static_cast<float>(i) / static_cast<float>(head_dim);
    const float frequency = 1.0F / std::pow(theta, exponent);
    switch (rope.scaling) {
      case RopeScaling::kNone:
        rotary.inverse_frequencies.push_back(frequency);
        break;
      case RopeScaling::kLinear:
        rotary.inverse_frequencies.push_back(frequency / static_cast<float>(rope.factor));
        break;
      case RopeScaling::kLlama3:
        rotary.inverse_frequencies.push_back(llama3_frequency(frequency, rope));
        break;
    }
  }
  return rotary;
}

}  // namespace aios
