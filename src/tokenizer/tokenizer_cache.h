/// A file beside tokenizer.json with the tables that reading it made, to be mapped the next time.
///
/// It is only ever a copy: a file that is absent, of another version, damaged, or made from other
/// bytes than tokenizer.json now has, is not there; one that cannot be written is not written.
/// docs/tokenizer.md has its layout.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/mapped_file.h"

namespace aios::tokenizer {

/// What a source file holds.
struct SourceChecksum {
  uint64_t size;
  uint64_t hash;  ///< XXH64

  friend bool operator==(const SourceChecksum&, const SourceChecksum&) = default;
};

[[nodiscard]] SourceChecksum checksum_of(std::string_view bytes) noexcept;
/// @throws IoError
[[nodiscard]] SourceChecksum checksum_of_file(const std::string& path);

struct CachedTokenizer {
  SourceChecksum source;              ///< the file from which it was made
  nlohmann::json rest;                ///< as in `ParsedTokenizer`
  std::span<const std::byte> tables;  ///< for a `BlockReader`; sizes in there are not checked
  std::shared_ptr<const MappedFile> mapping;
};

/// Where the cache of a tokenizer.json lies.
[[nodiscard]] std::string cache_path(const std::string& source_path);

/// The cache beside `source_path`, if it is whole. Whether it was made from the bytes that the file
/// has now is for the caller to compare.
[[nodiscard]] std::optional<CachedTokenizer> read_cache(const std::string& source_path);

/// Writes `tables`, the bytes of a `BlockWriter`, or does nothing if that cannot be done.
void write_cache(const std::string& source_path, const SourceChecksum& source,
                 const nlohmann::json& rest, const std::string& tables) noexcept;

}  // namespace aios::tokenizer
