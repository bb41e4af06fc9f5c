/// Results as JSON, in the project's own words.
#pragma once

#include <nlohmann/json.hpp>
#include <span>
#include <string>

#include "aios/model_files.h"
#include "aios/results.h"

namespace aios {

using Json = nlohmann::ordered_json;

/// One line of JSON with its line feed.
[[nodiscard]] std::string to_line(const Json& json);

[[nodiscard]] Json to_json(const PhaseSeconds& seconds);
[[nodiscard]] Json to_json(std::span<const std::string> texts, const EncodeResult& result);
/// The answer for sample `index`.
[[nodiscard]] Json to_json(const GenerationResults& results, std::size_t index);
[[nodiscard]] Json to_json(const DiffusionResults& results, std::size_t index);
[[nodiscard]] Json to_json(const ScoreResult& result);
[[nodiscard]] Json to_json(const ProbeReport& report);
[[nodiscard]] Json to_json(const ConvertReport& report);
[[nodiscard]] Json to_json(const ModelSummary& summary);

}  // namespace aios
