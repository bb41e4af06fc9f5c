/// The merging of BPE: the pair of lowest rank first, the leftmost of equals, until none merges.
///
/// A long word is merged window by window, in memory that stays in the first-level cache and in
/// time that grows with its length alone. A window's last tokens are not taken, for what follows
/// may still change them; the next window begins where they do. That such a cut is right is
/// checked, by a property of BPE: two runs of tokens, each the merging of its own text, are
/// together the merging of both texts if the last token of one and the first of the other stay what
/// they are when their own texts are merged as one word. For a merge across the cut would join
/// parts of these two, and what each of them is made of does not depend on what lies beyond it.
#pragma once

#include <vector>

#include "tokenizer/merge_table.h"
#include "tokenizer/model.h"

namespace aios::tokenizer {

/// Appends the tokens of the word whose symbols are `scratch.symbols`, which are lost.
void merge_symbols(const MergeTable& merges, ModelScratch& scratch, std::vector<WordToken>& tokens);

}  // namespace aios::tokenizer
