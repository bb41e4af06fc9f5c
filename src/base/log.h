/// The library's log: silent until a front sets a level. spdlog behind it, always to stderr.
#pragma once

#include <string_view>

namespace aios {

enum class LogLevel { kOff, kError, kWarning, kInfo, kDebug };

void set_log_level(LogLevel level) noexcept;
void log_message(LogLevel level, std::string_view message) noexcept;

}  // namespace aios
