/// Small files read whole, and standard input.
#pragma once

#include <cstddef>
#include <string>

namespace aios {

/// The bytes of a file, or of standard input for `-`.
/// @throws IoError naming the path if it cannot be read, is a directory, or has more than
///         `max_bytes` (checked while reading: pipes and devices have no size)
[[nodiscard]] std::string read_text_file(const std::string& path, std::size_t max_bytes);

}  // namespace aios
