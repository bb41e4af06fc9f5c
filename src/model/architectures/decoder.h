/// What the descendants of Llama share.
#pragma once

#include <string>

#include "model/config_reader.h"
#include "model/model_spec.h"

namespace aios {

/// A pre-norm RMSNorm network with rotary positions and a gated MLP, under Llama's names, used left
/// to right. Such weights may also be run as a full-attention denoiser: that is one of their modes
/// when config.json says so by a `mask_token_id` or by `"dual_mode": true`.
/// @throws FormatError
[[nodiscard]] ModelSpec decoder_spec(std::string family, const ConfigReader& config, bool has_head);

/// Turns a decoder into a denoiser with full attention; `"dual_mode": true` in config.json says
/// that it may be used left to right as well.
void make_denoiser(ModelSpec& spec, const ConfigReader& config, bool logit_shift);

/// Qwen's sliding layers: those that `layer_types` names, else those from `max_window_layers` on;
/// none without `use_sliding_window`. @throws FormatError
void set_qwen_sliding_windows(ModelSpec& spec, const ConfigReader& config);

}  // namespace aios
