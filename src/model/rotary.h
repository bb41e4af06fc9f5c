/// Frequencies of rotary position embedding.
#pragma once

#include "backend/backend.h"
#include "model/config_reader.h"
#include "model/model_spec.h"

namespace aios {

/// Reads both styles: `rope_parameters` {rope_theta, rope_type, …} of transformers 5, and
/// `rope_theta` beside `rope_scaling` {rope_type or type, …} of transformers 4.
/// @throws FormatError for a kind of scaling that is not implemented
[[nodiscard]] RopeSpec parse_rope(const ConfigReader& config);

/// inverse_frequencies[i] = theta^(-2i / head_dim), then scaled. Sources: RoFormer
/// (arXiv:2104.09864); scaling: transformers, modeling_rope_utils.py. Computed in f32, as there.
[[nodiscard]] Rotary make_rotary(const RopeSpec& rope, int64_t head_dim);

}  // namespace aios
