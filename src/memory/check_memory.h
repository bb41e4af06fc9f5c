/// What a memory must be before it is stored.
#pragma once

#include "aios/memory.h"

namespace aios {

inline constexpr std::size_t kMaxContentBytes = std::size_t{16} << 20U;
inline constexpr std::size_t kMaxNameBytes = 1024;  // ids, categories, sources, collections
inline constexpr std::size_t kMaxExtraBytes = std::size_t{1} << 20U;
inline constexpr int32_t kMaxDimension = 65536;

/// @throws ConfigError
void check_collection(const CollectionInfo& info);

/// @throws FormatError naming the memory and what is wrong with it; StorageError if the vector has
/// another dimension than the collection
void check_memory(const Memory& memory, const CollectionInfo& collection);

/// @throws FormatError; `what` names the memory
void check_metadata(const MemoryMetadata& metadata, const std::string& what);

/// @param what names the vector in messages
/// @throws FormatError unless it is finite and, for cosine, not zero; StorageError for another
/// dimension
void check_embedding(std::span<const float> embedding, const CollectionInfo& collection,
                     const std::string& what);

}  // namespace aios
