#include "tokenizer/formats/protobuf.h"

#include <bit>
#include <cmath>

#include "aios/error.h"

namespace aios::tokenizer {

void ProtobufReader::Field::fail(const std::string& why) const {
  reader_->fail(at_, "field " + std::to_string(number_) + ": " + why);
}

void ProtobufReader::Field::expect(WireType type) const {
  if (type_ != type) {
    fail("expected wire type " + std::to_string(static_cast<int>(type)) + ", found " +
         std::to_string(static_cast<int>(type_)));
  }
}

std::string_view ProtobufReader::Field::as_bytes() const {
  expect(WireType::kBytes);
  return bytes_;
}

float ProtobufReader::Field::as_float() const {
  expect(WireType::kFixed32);
  const auto value = std::bit_cast<float>(static_cast<uint32_t>(integer_));
  if (!std::isfinite(value)) fail("the number is not finite");
  return value;
}

bool ProtobufReader::Field::as_bool() const {
  expect(WireType::kVarint);
  return integer_ != 0;
}

int32_t ProtobufReader::Field::as_int32() const {
  expect(WireType::kVarint);
  // Negative numbers are written with 64 bits.
  const auto value = static_cast<int64_t>(integer_);
  if (value < INT32_MIN || value > INT32_MAX) fail(std::to_string(value) + " has over 32 bits");
  return static_cast<int32_t>(value);
}

ProtobufReader ProtobufReader::Field::as_message() const {
  return {as_bytes(), reader_->file_, bytes_at_};
}

std::optional<ProtobufReader::Field> ProtobufReader::next() {
  if (at_ == bytes_.size()) return std::nullopt;
  Field field;
  field.reader_ = this;
  field.at_ = at_;
  const uint64_t key = read_varint();
  field.number_ = key >> 3U;
  switch (key & 7U) {
    case 0:
      field.type_ = WireType::kVarint;
      field.integer_ = read_varint();
      break;
    case 1:
      field.type_ = WireType::kFixed64;
      field.integer_ = read_fixed(8);
      break;
    case 2: {
      field.type_ = WireType::kBytes;
      const uint64_t size = read_varint();
      if (size > bytes_.size() - at_) {
        fail(field.at_, "a field of " + std::to_string(size) + " bytes, of which only " +
                            std::to_string(bytes_.size() - at_) + " are left");
      }
      field.bytes_at_ = offset_ + at_;
      field.bytes_ = bytes_.substr(at_, static_cast<std::size_t>(size));
      at_ += static_cast<std::size_t>(size);
      break;
    }
    case 5:
      field.type_ = WireType::kFixed32;
      field.integer_ = read_fixed(4);
      break;
    default:
      fail(field.at_, "wire type " + std::to_string(key & 7U) + " is not supported");
  }
  return field;
}

uint64_t ProtobufReader::read_varint() {
  uint64_t value = 0;
  const std::size_t begin = at_;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    if (at_ == bytes_.size()) fail(begin, "a number is cut off");
    const auto byte = static_cast<unsigned char>(bytes_[at_++]);
    value |= uint64_t{byte & 0x7FU} << shift;
    if (byte < 0x80) return value;
  }
  fail(begin, "a number has over 64 bits");
}

uint64_t ProtobufReader::read_fixed(std::size_t size) {
  if (size > bytes_.size() - at_) fail(at_, "a number is cut off");
  uint64_t value = 0;
  for (std::size_t i = 0; i < size; ++i) {
    value |= uint64_t{static_cast<unsigned char>(bytes_[at_ + i])} << (8 * i);
  }
  at_ += size;
  return value;
}

void ProtobufReader::fail(std::size_t at, const std::string& why) const {
  throw FormatError("'" + file_ + "' byte " + std::to_string(offset_ + at) + ": " + why);
}

}  // namespace aios::tokenizer
