#include "base/log.h"

#include <gtest/gtest.h>

#include <string>

namespace aios {
namespace {

std::string captured(LogLevel threshold, LogLevel level) {
  ::testing::internal::CaptureStderr();
  set_log_level(threshold);
  log_message(level, "tokens {} left");  // braces are text, not a format
  set_log_level(LogLevel::kOff);
  return ::testing::internal::GetCapturedStderr();
}

TEST(Log, IsSilentWhenOff) {
  EXPECT_EQ(captured(LogLevel::kOff, LogLevel::kError), "");
  EXPECT_EQ(captured(LogLevel::kDebug, LogLevel::kOff), "");
}

TEST(Log, WritesMessagesAtOrAboveTheLevel) {
  EXPECT_NE(captured(LogLevel::kWarning, LogLevel::kError).find("tokens {} left"),
            std::string::npos);
  EXPECT_NE(captured(LogLevel::kDebug, LogLevel::kDebug).find("tokens {} left"), std::string::npos);
  EXPECT_EQ(captured(LogLevel::kWarning, LogLevel::kInfo), "");
}

}  // namespace
}  // namespace aios
