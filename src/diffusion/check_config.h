/// Limits of the options that depend on no model and no canvas.
#pragma once

#include "aios/config.h"

namespace aios {

/// @throws ConfigError naming the first option that is out of range or contradicts another
void check_diffusion_config(const DiffusionConfig& config);

}  // namespace aios
