/// Pieces of a mapped file laid end to end in memory, without a copy.
#pragma once

#include <cstddef>
#include <memory>
#include <span>

namespace aios {

/// Maps `pieces`, which point into shared file mappings, one behind the other.
/// @return the first byte of the whole, owner of the new mapping; null if a piece does not start
/// on, or a piece but the last does not fill, whole pages of memory, or if the system refuses
[[nodiscard]] std::shared_ptr<const std::byte> join_mapped(
    std::span<const std::span<const std::byte>> pieces);

}  // namespace aios
