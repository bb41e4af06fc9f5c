/// Reads memories from Parquet files of any writer: segments, exports, and others' tables.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "storage/memory_row.h"

namespace aios {

/// Calls `visit` for each row in order. Views live during the call. Needed are `content` (text) and
/// `embedding` (lists of float or double); absent `memory_id`, `timestamp`, `expires_at`,
/// `metadata` and its fields, `sequence` and null values read as empty, 0 or `{}`. Page checksums
/// are checked where there are any.
/// @return the collection that a segment or export names
/// @throws IoError, FormatError; what `visit` throws
std::optional<SegmentCollection> read_memory_file(
    const std::string& path, const std::function<void(const MemoryRow&)>& visit);

/// As `read_memory_file`, but goes on behind row groups that cannot be read. Of such a group some
/// rows may have been visited, once each.
/// @return what is wrong, a line each
/// @throws IoError; FormatError if the footer cannot be read
std::vector<std::string> salvage_memory_file(const std::string& path,
                                             const std::function<void(const MemoryRow&)>& visit);

/// The collection that a segment or export names. @throws IoError, FormatError
[[nodiscard]] std::optional<SegmentCollection> read_memory_collection(const std::string& path);

}  // namespace aios
