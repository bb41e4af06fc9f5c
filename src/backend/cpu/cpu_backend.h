/// The backend that computes on this processor.
#pragma once

#include <memory>

#include "aios/config.h"
#include "backend/backend.h"
#include "base/cpu_features.h"
#include "base/thread_pool.h"

namespace aios {

/// Thread-safe; keeps scratch memory between calls, as much as its largest calls needed.
///
/// Results depend on `isa` and `compute`, never on the number of threads of `pool`. `load` borrows
/// f32, bf16 and f16 matrices where they lie and widens vectors to f32.
/// @param isa one that this processor can run: `choose_isa()`
[[nodiscard]] std::unique_ptr<Backend> make_cpu_backend(std::shared_ptr<ThreadPool> pool, Isa isa,
                                                        ComputeType compute);

}  // namespace aios
