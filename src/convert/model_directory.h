/// What conversions in both directions share: where they may write, and the files that they copy.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace aios {

/// Nothing but a model directory, or an empty one, is ever replaced.
/// @throws IoError or ConfigError if `output` may not be written
void check_output(const std::string& input, const std::string& output, bool overwrite);

/// The files of a model directory beside its weights, as far as they are there: relative paths.
[[nodiscard]] std::vector<std::string> present_model_files(const std::filesystem::path& directory);

/// Copies one of them durably. @throws IoError
void copy_model_file(const std::filesystem::path& from, const std::string& name,
                     const std::filesystem::path& to);

}  // namespace aios
