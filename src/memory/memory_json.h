/// A memory as a line of JSON: what exports write and imports read.
#pragma once

#include <string>
#include <string_view>

#include "aios/memory.h"
#include "storage/memory_row.h"

namespace aios {

/// With a line feed. Numbers of the embedding are the shortest that read back the same.
[[nodiscard]] std::string memory_to_json(const MemoryRow& memory);

/// @param where for errors, e.g. "'notes.jsonl' line 3"
/// @throws FormatError
[[nodiscard]] Memory memory_from_json(std::string_view line, const std::string& where);

}  // namespace aios
