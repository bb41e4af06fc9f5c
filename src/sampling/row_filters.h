/// What is done to a row of logits before a token is drawn from it.
///
/// Each filter works in place on one row, as wide as the vocabulary; a token that is ruled out gets
/// -infinity, and at least one token always survives. Probabilities are computed in double. The
/// order in which `TokenSampler` and `DiffusionCore` apply them is theirs. Sources: Hugging Face
/// transformers `generation/logits_process.py` (same survivors, up to rounding at a boundary).
#pragma once

#include <cstdint>
#include <limits>
#include <span>

namespace aios {

inline constexpr float kRuledOut = -std::numeric_limits<float>::infinity();

/// No NaN and no +infinity. The filters below need a valid row.
[[nodiscard]] bool is_valid_row(std::span<const float> logits) noexcept;

/// Ids outside the row are ignored.
void suppress_tokens(std::span<float> logits, std::span<const int32_t> token_ids) noexcept;

/// logits / temperature, in float as transformers does. `temperature` > 0.
void apply_temperature(std::span<float> logits, float temperature) noexcept;

/// Keeps the `top_k` largest and whatever equals the last of them; 0 keeps all.
void apply_top_k(std::span<float> logits, int32_t top_k);

/// Keeps the smallest set of likeliest tokens whose probability reaches `top_p`; 1 keeps all.
void apply_top_p(std::span<float> logits, float top_p);

/// Keeps tokens at least `min_p` times as likely as the likeliest; 0 keeps all.
void apply_min_p(std::span<float> logits, float min_p) noexcept;

}  // namespace aios
