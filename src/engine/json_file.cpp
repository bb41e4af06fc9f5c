#include "engine/json_file.h"

#include <filesystem>
#include <map>

#include "aios/error.h"
#include "base/text_file.h"

namespace aios {

std::optional<nlohmann::json> read_json_file(const std::string& path) {
  constexpr std::size_t kMaxBytes = std::size_t{16} << 20U;
  if (!std::filesystem::exists(path)) return std::nullopt;
  try {
    return nlohmann::json::parse(read_text_file(path, kMaxBytes));
  } catch (const nlohmann::json::exception& error) {
    throw FormatError(path + ": no valid JSON: " + error.what());
  }
}

template <typename Value>
Value json_value(const nlohmann::json& object, const char* key, Value otherwise,
                 const std::string& where) {
  const auto member = object.find(key);
  if (member == object.end() || member->is_null()) return otherwise;
  try {
    return member->get<Value>();
  } catch (const nlohmann::json::exception&) {
    throw FormatError(where + ": '" + key + "' is " + member->dump() + ", which is no " +
                      nlohmann::json(otherwise).type_name());
  }
}

template bool json_value(const nlohmann::json&, const char*, bool, const std::string&);
template int64_t json_value(const nlohmann::json&, const char*, int64_t, const std::string&);
template std::string json_value(const nlohmann::json&, const char*, std::string,
                                const std::string&);
template std::map<std::string, std::string> json_value(const nlohmann::json&, const char*,
                                                       std::map<std::string, std::string>,
                                                       const std::string&);

}  // namespace aios
