/// Standard output and error, as the program writes them.
#pragma once

#include <string>
#include <string_view>

#include "aios/error.h"

namespace aios {

/// Nobody reads our standard output any more.
class BrokenPipe : public IoError {
 public:
  using IoError::IoError;
};

/// Writes all of `text` to standard output, at once.
/// @throws BrokenPipe, or IoError when it cannot be written (disk full)
void write_output(std::string_view text);

/// Writes a new file, or replaces one. @throws IoError naming it
void save_text(const std::string& path, std::string_view text);

/// Writes to the terminal behind standard error; failures are of no consequence.
void write_terminal(std::string_view text) noexcept;

}  // namespace aios
