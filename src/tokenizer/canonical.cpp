#include "tokenizer/canonical.h"

#include <algorithm>
#include <array>
#include <cstddef>

#include "tokenizer/unicode_tables.h"
#include "tokenizer/utf8.h"

namespace aios::tokenizer {
namespace {

/// Stable, and linear: there are 255 classes.
void sort_by_class(std::vector<Change>::iterator begin, std::vector<Change>::iterator end) {
  std::array<std::size_t, 257> starts{};
  for (auto change = begin; change != end; ++change) {
    ++starts[combining_class(change->code_point) + std::size_t{1}];
  }
  for (std::size_t i = 1; i < starts.size(); ++i) starts[i] += starts[i - 1];
  const std::vector<Change> old(begin, end);
  for (const Change& change : old) {
    begin[static_cast<std::ptrdiff_t>(starts[combining_class(change.code_point)]++)] = change;
  }
}

/// Sorts each run of combining characters by class, keeping the order within a class.
void order_canonically(std::vector<Change>& changes) {
  const auto by_class = [](const Change& left, const Change& right) {
    return combining_class(left.code_point) < combining_class(right.code_point);
  };
  const auto is_starter = [](const Change& change) {
    return combining_class(change.code_point) == 0;
  };
  auto run = changes.begin();
  while (run != changes.end()) {
    const auto end = std::find_if(run + 1, changes.end(), is_starter);
    // A starter, class 0, stays in front. Most runs are in order.
    if (!std::is_sorted(run, end, by_class)) sort_by_class(run, end);
    run = end;
  }
}

/// From a decomposition in canonical order to the composed form.
void compose_decomposed(std::vector<Change>& changes) {
  std::size_t kept = 0;                  // changes[0, kept) are final or may still compose
  std::size_t starter = changes.size();  // index of the last starter in there; size: none
  uint8_t last_class = 0;                // of the marks kept behind the starter; 0: none
  for (const Change change : changes) {  // a copy: kept entries overwrite the front
    const uint8_t mark_class = combining_class(change.code_point);
    if (starter < changes.size() && (last_class == 0 || last_class < mark_class)) {
      Change& base = changes[starter];
      if (const char32_t composite = compose(base.code_point, change.code_point)) {
        base = {composite, base.shift + change.shift - 1};
        continue;
      }
    }
    if (mark_class == 0) {
      starter = kept;
      last_class = 0;
    } else if (starter < changes.size()) {
      last_class = mark_class;
    }
    changes[kept++] = change;
  }
  changes.resize(kept);
}

/// Whether no character has any of `flags`; those whose UTF-8 begins with a byte below `first_lead`
/// have none.
bool lacks_flags(std::string_view text, unsigned char first_lead, int flags) noexcept {
  for (std::size_t at = 0; at < text.size();) {
    if (static_cast<unsigned char>(text[at]) < first_lead) {
      at += utf8_size(text[at]);
      continue;
    }
    const Character character = decode_utf8(text.data() + at);
    if ((character_flags(character.code_point) & flags) != 0) return false;
    at += character.size;
  }
  return true;
}

}  // namespace

void decompose_canonically(std::string_view text, std::vector<Change>& changes) {
  changes.clear();
  for_each_character(text, [&](char32_t code_point) {
    const Decomposition parts = decompose(code_point);
    for (int i = 0; i < parts.size; ++i) changes.push_back({parts.characters[i], i == 0 ? 0 : 1});
  });
  order_canonically(changes);
}

void decompose_compatibly(std::string_view text, std::vector<Change>& changes) {
  changes.clear();
  std::array<char32_t, kMaxDecomposition> parts{};
  for_each_character(text, [&](char32_t code_point) {
    const int size = decompose_compatibly(code_point, parts);
    for (int i = 0; i < size; ++i) {
      changes.push_back({parts[static_cast<std::size_t>(i)], i == 0 ? 0 : 1});
    }
  });
  order_canonically(changes);
}

void compose_canonically(std::string_view text, std::vector<Change>& changes) {
  decompose_canonically(text, changes);
  compose_decomposed(changes);
}

void compose_compatibly(std::string_view text, std::vector<Change>& changes) {
  decompose_compatibly(text, changes);
  compose_decomposed(changes);
}

bool is_surely_nfc(std::string_view text) noexcept {
  return lacks_flags(text, 0xCC, kNfcUncertainFlag);  // below U+0300 all characters are in NFC
}

bool is_surely_nfd(std::string_view text) noexcept {
  return lacks_flags(text, 0xC3, kDecomposesFlag | kCombiningFlag);  // below U+00C0: in NFD
}

bool is_surely_nfkc(std::string_view text) noexcept {
  return lacks_flags(text, 0xC2, kCompatibilityFlag | kNfcUncertainFlag);
}

bool is_surely_nfkd(std::string_view text) noexcept {
  return lacks_flags(text, 0xC2, kCompatibilityFlag | kCombiningFlag);  // U+00A0 is the first
}

}  // namespace aios::tokenizer
