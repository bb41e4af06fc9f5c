/// What the autoregressive loop asks of a network; the loop knows no model.
#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include "tensor/head.h"

namespace aios {

/// Feeds `token_ids` (appended to what this sample has seen) and scores the token that follows the
/// last of them: one result row. The callee keeps the cache of each sample.
using ForwardFn = std::function<void(int32_t sample, std::span<const int32_t> token_ids,
                                     const HeadRequest& request, HeadResult& result)>;

}  // namespace aios
