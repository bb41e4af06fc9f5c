#include "cli/progress_bar.h"

#include <gtest/gtest.h>

namespace aios {
namespace {

TEST(ProgressBar, FillsAndFits) {
  EXPECT_EQ(ProgressBar::render("work", 0, 10, 27), "work [...............]   0%");
  EXPECT_EQ(ProgressBar::render("work", 5, 10, 27), "work [#######........]  50%");
  EXPECT_EQ(ProgressBar::render("work", 10, 10, 27), "work [###############] 100%");
  EXPECT_EQ(ProgressBar::render("work", 99, 10, 27), "work [###############] 100%");
  EXPECT_EQ(ProgressBar::render("work", 1, 0, 27), "work [...............]   0%");
  for (std::size_t columns = 0; columns < 100; ++columns) {
    EXPECT_LE(ProgressBar::render("some work", 3, 10, columns).size(),
              std::max<std::size_t>(columns, 5));
  }
}

}  // namespace
}  // namespace aios
