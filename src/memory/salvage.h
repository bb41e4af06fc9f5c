/// What can still be read of a damaged catalogue, brought into a new one. Inside `memory` only.
#pragma once

#include <string>
#include <vector>

#include "memory/database.h"
#include "memory/segment_files.h"

namespace aios {

/// Why this catalogue cannot be used: damaged pages, no SQLite database, missing. Empty: it can.
/// @throws StorageError if it is of another version or kind; IoError if the disk cannot read it
[[nodiscard]] std::string damage_of(const std::string& catalog);

/// Copies what is readable of the catalogue at `damaged`, if there is one, into the new one: of
/// each table the rows before and behind what is damaged. Segments are named as their files are:
/// those that the old catalogue names, or, where it does not tell, the newest that do not overlap.
/// @param findings gets a line for each loss
/// @return ids of segments that cannot be opened
std::vector<int64_t> salvage_catalog(const std::string& damaged, Database& database,
                                     SegmentFiles& segments, std::vector<std::string>& findings);

}  // namespace aios
