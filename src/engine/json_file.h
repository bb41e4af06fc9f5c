/// Small JSON files of a model directory.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

namespace aios {

/// The object in a file, or nothing if there is no such file.
/// @throws IoError, FormatError naming the file
[[nodiscard]] std::optional<nlohmann::json> read_json_file(const std::string& path);

/// A member of a JSON object, or `otherwise` if it is absent or null.
/// @throws FormatError naming `where` and the key, if it has another type
template <typename Value>
Value json_value(const nlohmann::json& object, const char* key, Value otherwise,
                 const std::string& where);

}  // namespace aios
