#include "base/log.h"

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <memory>

namespace aios {
namespace {

spdlog::level::level_enum spdlog_level(LogLevel level) noexcept {
  switch (level) {
    case LogLevel::kOff:
      return spdlog::level::off;
    case LogLevel::kError:
      return spdlog::level::err;
    case LogLevel::kWarning:
      return spdlog::level::warn;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kDebug:
      return spdlog::level::debug;
  }
  return spdlog::level::off;
}

/// Not in spdlog's registry, whose settings belong to the program that uses this library.
spdlog::logger& logger() {
  static const auto instance = [] {
    auto sink = std::make_shared<spdlog::sinks::stderr_color_sink_mt>();
    auto result = std::make_unique<spdlog::logger>("aios", std::move(sink));
    result->set_level(spdlog::level::off);
    return result;
  }();
  return *instance;
}

}  // namespace

void set_log_level(LogLevel level) noexcept {
  try {
    logger().set_level(spdlog_level(level));
  } catch (...) {  // no memory for a logger: then it stays silent
  }
}

void log_message(LogLevel level, std::string_view message) noexcept {
  if (level == LogLevel::kOff) return;
  try {
    logger().log(spdlog_level(level), "{}", message);
  } catch (...) {  // a message that cannot be written must not stop the work
  }
}

}  // namespace aios
