/// The factor of an inverse covariance, by which error feedback spreads what rounding cost.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/thread_pool.h"

namespace aios {

/// The upper triangular U with U^T U = (C + damping * mean diagonal * I)^-1, row major [size,
/// size]. Damping grows until the factorisation succeeds. In double; every sum runs in one order,
/// whatever the number of threads.
[[nodiscard]] std::vector<float> inverse_factor(ThreadPool& pool, std::span<const float> covariance,
                                                int64_t size);

}  // namespace aios
