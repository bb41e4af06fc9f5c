/// Shapes of products that are measured here and by peers.
#pragma once

#include <cstdint>

namespace aios::bench {

struct Shape {
  int64_t rows, columns, depth;
};

/// With quantised weights, each with each of kQuantizedRows.
constexpr Shape kQuantizedShapes[] = {
    {0, 1024, 1024}, {0, 3072, 1024}, {0, 4096, 1024}, {0, 4864, 896}, {0, 896, 4864}};
constexpr int64_t kQuantizedRows[] = {32, 64, 128, 512};

}  // namespace aios::bench
