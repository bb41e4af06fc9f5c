#include "storage/safetensors_header.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <nlohmann/json.hpp>
#include <optional>
#include <tuple>
#include <unordered_set>
#include <utility>

#include "aios/error.h"
#include "storage/tensor_table.h"

namespace aios {
namespace {

using nlohmann::json;

constexpr std::array<std::pair<std::string_view, DType>, 10> kDtypes{{{"F32", DType::kF32},
                                                                      {"BF16", DType::kBF16},
                                                                      {"F16", DType::kF16},
                                                                      {"F64", DType::kF64},
                                                                      {"I64", DType::kI64},
                                                                      {"I32", DType::kI32},
                                                                      {"I16", DType::kI16},
                                                                      {"I8", DType::kI8},
                                                                      {"U8", DType::kU8},
                                                                      {"BOOL", DType::kBool}}};

/// Where the parser stands. The header nests three deep and no deeper, so there is no recursion and
/// no document tree: a hostile header is refused at its first wrong token.
enum class Place { kStart, kNames, kMetadata, kTensor, kShape, kOffsets, kEnd };

/// Receives the tokens of the header; every token out of place is a FormatError.
class HeaderHandler : public nlohmann::json_sax<json> {
 public:
  explicit HeaderHandler(const std::string& path) : path_(path) {}

  [[nodiscard]] std::vector<SafetensorsEntry> take_entries() { return std::move(entries_); }

  bool null() override { unexpected("null"); }
  bool boolean(bool /*value*/) override { unexpected("a boolean"); }
  bool number_float(double /*value*/, const std::string& text) override { unexpected(text); }
  bool binary(json::binary_t& /*value*/) override { unexpected("binary data"); }
  bool number_integer(int64_t value) override {
    unexpected("the negative number " + std::to_string(value));
  }
  bool number_unsigned(uint64_t value) override;
  bool string(std::string& value) override;
  bool key(std::string& name) override;
  bool start_object(std::size_t size) override;
  bool end_object() override;
  bool start_array(std::size_t size) override;
  bool end_array() override;
  bool parse_error(std::size_t position, const std::string& /*token*/,
                   const nlohmann::detail::exception& error) override {
    fail("its header is no JSON at byte " + std::to_string(position) + ": " + error.what());
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw FormatError("'" + path_ + "': " + what);
  }
  [[noreturn]] void unexpected(const std::string& token) const {
    fail("its header has " + token + " where the format allows none" +
         (tensor_name_.empty() ? "" : ", in tensor '" + tensor_name_ + "'"));
  }
  void finish_tensor();

  const std::string& path_;
  Place place_ = Place::kStart;
  std::unordered_set<std::string> names_;
  std::unordered_set<std::string> metadata_keys_;
  std::vector<SafetensorsEntry> entries_;

  // The tensor that is being read.
  std::string tensor_name_;
  std::string field_;
  std::optional<DType> dtype_;
  std::optional<std::vector<int64_t>> shape_;
  std::optional<std::vector<int64_t>> offsets_;
};

bool HeaderHandler::key(std::string& name) {
  if (place_ == Place::kNames) {
    if (!names_.insert(name).second) fail("its header has '" + name + "' twice");
    tensor_name_ = name;
  } else if (place_ == Place::kMetadata) {
    if (!metadata_keys_.insert(name).second) fail("its __metadata__ has '" + name + "' twice");
  } else {
    const bool twice = (name == "dtype" && dtype_) || (name == "shape" && shape_) ||
                       (name == "data_offsets" && offsets_);
    if (twice) fail("tensor '" + tensor_name_ + "' has '" + name + "' twice");
    field_ = name;
  }
  return true;
}

bool HeaderHandler::start_object(std::size_t /*size*/) {
  if (place_ == Place::kStart) {
    place_ = Place::kNames;
  } else if (place_ == Place::kNames && tensor_name_ == "__metadata__") {
    place_ = Place::kMetadata;
  } else if (place_ == Place::kNames) {
    place_ = Place::kTensor;
    dtype_.reset();
    shape_.reset();
    offsets_.reset();
  } else {
    unexpected("an object");
  }
  return true;
}

bool HeaderHandler::end_object() {
  if (place_ == Place::kNames) {
    place_ = Place::kEnd;
  } else {
    if (place_ == Place::kTensor) finish_tensor();
    place_ = Place::kNames;
    tensor_name_.clear();
  }
  return true;
}

bool HeaderHandler::start_array(std::size_t /*size*/) {
  if (place_ == Place::kTensor && field_ == "shape") {
    place_ = Place::kShape;
    shape_.emplace();
  } else if (place_ == Place::kTensor && field_ == "data_offsets") {
    place_ = Place::kOffsets;
    offsets_.emplace();
  } else {
    unexpected("an array");
  }
  return true;
}

bool HeaderHandler::end_array() {
  place_ = Place::kTensor;
  return true;
}

bool HeaderHandler::number_unsigned(uint64_t value) {
  if (place_ != Place::kShape && place_ != Place::kOffsets) unexpected(std::to_string(value));
  if (!std::in_range<int64_t>(value)) {
    fail("tensor '" + tensor_name_ + "': " + std::to_string(value) + " is too large");
  }
  (place_ == Place::kShape ? shape_ : offsets_)->push_back(static_cast<int64_t>(value));
  return true;
}

bool HeaderHandler::string(std::string& value) {
  if (place_ == Place::kMetadata) return true;
  if (place_ != Place::kTensor || field_ != "dtype") unexpected("the text '" + value + "'");
  const auto* const found =
      std::find_if(kDtypes.begin(), kDtypes.end(), [&](const auto& d) { return d.first == value; });
  if (found == kDtypes.end()) {
    fail("tensor '" + tensor_name_ + "' has dtype '" + value +
         "', which this build does not read; convert it to F32, F16 or BF16");
  }
  dtype_ = found->second;
  return true;
}

void HeaderHandler::finish_tensor() {
  const std::string what = "'" + path_ + "': tensor '" + tensor_name_ + "'";
  if (!dtype_ || !shape_ || !offsets_) {
    throw FormatError(what + " lacks dtype, shape or data_offsets");
  }
  if (offsets_->size() != 2 || (*offsets_)[0] > (*offsets_)[1]) {
    throw FormatError(what + ": its data_offsets are not [begin, end] with begin <= end");
  }
  const auto begin = static_cast<std::size_t>((*offsets_)[0]);
  const auto end = static_cast<std::size_t>((*offsets_)[1]);
  const std::size_t num_bytes = checked_num_bytes(*shape_, *dtype_, what);
  if (end - begin != num_bytes) {
    throw FormatError(what + ": its shape and dtype need " + std::to_string(num_bytes) +
                      " bytes, its data_offsets give " + std::to_string(end - begin));
  }
  entries_.push_back({{tensor_name_, *dtype_, std::move(*shape_), num_bytes}, begin});
}

/// Offsets count from the data's start; makes them count from the file's, and proves that the
/// tensors cover the data exactly.
void place_entries(std::vector<SafetensorsEntry>& entries, std::size_t data_begin,
                   std::size_t data_size, const std::string& path) {
  std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) {
    return std::tie(a.begin, a.info.num_bytes) < std::tie(b.begin, b.info.num_bytes);
  });
  std::size_t covered = 0;
  for (SafetensorsEntry& entry : entries) {
    if (entry.begin != covered) {
      throw FormatError("'" + path + "': tensor '" + entry.info.name + "' begins at data byte " +
                        std::to_string(entry.begin) + " where " + std::to_string(covered) +
                        " was expected: tensors must not overlap or leave holes");
    }
    if (entry.info.num_bytes > data_size - covered) {
      throw FormatError("'" + path + "': tensor '" + entry.info.name + "' ends at data byte " +
                        std::to_string(covered + entry.info.num_bytes) + " of " +
                        std::to_string(data_size) + ": the file is truncated; fetch it again");
    }
    covered += entry.info.num_bytes;
    entry.begin += data_begin;
  }
  if (covered != data_size) {
    throw FormatError("'" + path + "': " + std::to_string(data_size - covered) +
                      " bytes after the last tensor belong to none");
  }
}

}  // namespace

std::string_view safetensors_dtype_name(DType dtype) noexcept {
  return std::find_if(kDtypes.begin(), kDtypes.end(),
                      [&](const auto& entry) { return entry.second == dtype; })
      ->first;
}

std::vector<SafetensorsEntry> parse_safetensors_header(std::span<const std::byte> file,
                                                       const std::string& path) {
  static_assert(std::endian::native == std::endian::little);
  uint64_t header_size = 0;
  if (file.size() < sizeof(header_size)) {
    throw FormatError("'" + path + "' is too short to be a safetensors file");
  }
  std::memcpy(&header_size, file.data(), sizeof(header_size));
  if (header_size > kMaxSafetensorsHeaderBytes) {
    throw FormatError("'" + path + "' claims a header of " + std::to_string(header_size) +
                      " bytes; the limit is " + std::to_string(kMaxSafetensorsHeaderBytes));
  }
  if (header_size > file.size() - sizeof(header_size)) {
    throw FormatError("'" + path + "' ends within its header of " + std::to_string(header_size) +
                      " bytes: it is truncated; fetch it again");
  }
  const auto* const text = reinterpret_cast<const char*>(file.data() + sizeof(header_size));
  if (header_size == 0 || text[0] != '{') {
    throw FormatError("'" + path + "': its header does not begin with '{'");
  }
  if (std::memchr(text, '\0', header_size) != nullptr) {  // the parser would take it for the end
    throw FormatError("'" + path + "': its header has a NUL byte, so it is no JSON");
  }

  HeaderHandler handler(path);
  json::sax_parse(text, text + header_size, &handler);
  std::vector<SafetensorsEntry> entries = handler.take_entries();
  const std::size_t data_begin = sizeof(header_size) + static_cast<std::size_t>(header_size);
  place_entries(entries, data_begin, file.size() - data_begin, path);
  return entries;
}

}  // namespace aios
