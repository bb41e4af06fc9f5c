/// `model.safetensors.index.json`: which shard holds which tensor.
#pragma once

#include <memory>
#include <string>

#include "storage/weight_loader.h"

namespace aios {

/// Opens the shards that the index names, which lie in its folder. The index is the authority:
/// tensors of a shard that it does not place there do not count.
/// @throws IoError if the index or a shard cannot be opened, FormatError if they contradict
std::unique_ptr<WeightLoader> open_safetensors_index(const std::string& path);

}  // namespace aios
