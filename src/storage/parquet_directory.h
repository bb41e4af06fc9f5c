/// The directory of a V2 file: its rows, repeated as JSON in the footer.
///
/// With it, opening a file reads its footer only, instead of every row group. It is a hint: it is
/// used only if it agrees with the footer's offsets, and each row is compared with the columns when
/// its data is asked for.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "storage/quantization_schema.h"

namespace aios {

struct DirectoryEntry {
  quantization_schema::Row row;
  int64_t data_page_offset = 0;  ///< of the row's `data` column chunk, as in the footer
};

[[nodiscard]] std::string directory_to_json(std::span<const DirectoryEntry> entries);

/// Nothing if `text` is no directory.
[[nodiscard]] std::optional<std::vector<DirectoryEntry>> directory_from_json(std::string_view text);

}  // namespace aios
