/// The merging of BPE: the pair of lowest rank first, the leftmost of equals, until none merges.
#pragma once

#include "tokenizer/merge_table.h"
#include "tokenizer/model.h"

namespace aios::tokenizer {

/// Merges `scratch.symbols`; those that were merged into others may stay, with size 0.
///
/// Words of a few symbols are searched pair by pair, longer ones have their pairs in a heap, and
/// very long ones in a list for each rank, which takes linear time for tables that say that merges
/// only ever lead to merges of higher rank.
void merge_symbols(const MergeTable& merges, ModelScratch& scratch);

}  // namespace aios::tokenizer
