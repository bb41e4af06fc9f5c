#include "memory/memory_json.h"

#include <charconv>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "aios/error.h"

namespace aios {
namespace {

using Json = nlohmann::ordered_json;

std::string embedding_text(std::span<const float> embedding) {
  std::string text = "[";
  for (const float value : embedding) {
    char digits[32];
    const auto [end, error] = std::to_chars(std::begin(digits), std::end(digits), value);
    if (text.size() > 1) text += ',';
    text.append(digits, end);
  }
  return text + "]";
}

/// Reads the members of one object, each of which must be asked for.
class Members {
 public:
  Members(const Json& object, std::string where) : object_(object), where_(std::move(where)) {
    if (!object.is_object()) fail("is no JSON object");
  }

  [[noreturn]] void fail(const std::string& what) const { throw FormatError(where_ + " " + what); }

  /// Nothing if it is absent or null.
  [[nodiscard]] const Json* find(const char* name) {
    names_.emplace_back(name);
    const auto found = object_.find(name);
    return found == object_.end() || found->is_null() ? nullptr : &*found;
  }
  [[nodiscard]] std::string text(const char* name) {
    const Json* const value = find(name);
    if (value == nullptr) return {};
    if (!value->is_string()) fail(std::string("has a ") + name + " that is no text");
    return value->get<std::string>();
  }
  [[nodiscard]] std::optional<int64_t> time(const char* name) {
    const Json* const value = find(name);
    if (value == nullptr) return std::nullopt;
    if (!value->is_number_integer()) {
      fail(std::string("has a ") + name + " that is no whole number of microseconds");
    }
    return value->get<int64_t>();
  }
  void check_all_known() const {
    for (const auto& [name, value] : object_.items()) {
      if (std::find(names_.begin(), names_.end(), name) == names_.end()) {
        fail("has a field '" + name + "' that memories do not have: put it into metadata.extra");
      }
    }
  }

 private:
  const Json& object_;
  std::string where_;
  std::vector<std::string> names_;
};

MemoryMetadata read_metadata(const Json& json, const std::string& where) {
  Members members(json, where + ", metadata,");
  MemoryMetadata metadata;
  metadata.category = members.text("category");
  metadata.source = members.text("source");
  if (const Json* const quality = members.find("quality_score")) {
    if (!quality->is_number()) members.fail("has a quality_score that is no number");
    metadata.quality_score = quality->get<float>();
  }
  if (const Json* const extra = members.find("extra")) metadata.extra = extra->dump();
  members.check_all_known();
  return metadata;
}

std::vector<float> read_embedding_numbers(const Json& json, const Members& members) {
  if (!json.is_array()) members.fail("has an embedding that is no array");
  std::vector<float> embedding;
  for (const Json& value : json) {
    if (!value.is_number()) members.fail("has an embedding with what is no number");
    const auto number = value.get<double>();
    embedding.push_back(std::abs(number) <= std::numeric_limits<float>::max()
                            ? static_cast<float>(number)
                            : std::numeric_limits<float>::infinity());  // refused by `add`
  }
  return embedding;
}

}  // namespace

std::string memory_to_json(const MemoryRow& memory) {
  Json json;
  json["memory_id"] = memory.memory_id;
  json["timestamp"] = memory.timestamp;
  if (memory.expires_at) json["expires_at"] = *memory.expires_at;
  json["content"] = memory.content;
  Json& metadata = json["metadata"];
  metadata["category"] = memory.category;
  metadata["source"] = memory.source;
  metadata["quality_score"] = memory.quality_score;
  metadata["extra"] = Json::parse(memory.extra);
  std::string line = json.dump();
  line.back() = ',';
  return line + "\"embedding\":" + embedding_text(memory.embedding) + "}\n";
}

Memory memory_from_json(std::string_view line, const std::string& where) {
  // The parser takes a NUL byte as the end.
  const Json json = line.find('\0') == std::string_view::npos ? Json::parse(line, nullptr, false)
                                                              : Json(Json::value_t::discarded);
  if (json.is_discarded()) throw FormatError(where + " is no JSON");
  Members members(json, where);
  Memory memory;
  memory.memory_id = members.text("memory_id");
  memory.timestamp = members.time("timestamp").value_or(0);
  memory.expires_at = members.time("expires_at");
  if (members.find("content") == nullptr) members.fail("has no content");
  memory.content = members.text("content");
  if (const Json* const metadata = members.find("metadata")) {
    memory.metadata = read_metadata(*metadata, where);
  }
  if (const Json* const embedding = members.find("embedding")) {
    memory.embedding = read_embedding_numbers(*embedding, members);
  }
  (void)members.find("score");  // of a search's answer
  members.check_all_known();
  return memory;
}

}  // namespace aios
