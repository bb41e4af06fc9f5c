/// Texts that flags name by their files.
#pragma once

#include <string>

namespace aios {

/// The text of the file; empty without a path.
/// @throws IoError if it cannot be read, ConfigError if it is empty
[[nodiscard]] std::string read_named_text(const char* flag, const std::string& path);

}  // namespace aios
