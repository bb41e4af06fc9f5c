/// The words of all memories: FTS5's index in the catalogue, which keeps no texts.
#pragma once

#include <cstdint>

#include "memory/database.h"
#include "memory/segment_files.h"

namespace aios {

/// SQLite 3.40 puts what `optimize` merges two levels deeper each time, and takes an index of more
/// than 2,000 levels for corrupt, once and for all. One of this many is built anew instead.
inline constexpr int64_t kMaxTextIndexLevels = 400;

/// How deep the parts of the index lie.
[[nodiscard]] int64_t num_text_index_levels(Database& database);

/// Makes one part of the index of all, without a trace of the words of removed memories: reads and
/// writes the whole index, and each time that it has become too deep the contents of all memories,
/// in one commit. The write lock must be held.
void merge_text_index(Database& database, SegmentFiles& segments);

/// Builds the index from the memories' contents. Within a transaction.
void rebuild_text_index(Database& database, SegmentFiles& segments);

/// Whether every memory is in the index once.
[[nodiscard]] bool text_index_agrees(Database& database);

/// @throws DamageError if the index cannot be used at all
void open_text_index(Database& database);

/// The same, and if it does not agree with the memories.
void check_text_index(Database& database);

}  // namespace aios
