/// Protocol Buffers' wire format, as far as reading a message needs it
/// (https://protobuf.dev/programming-guides/encoding). Every length is checked.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace aios::tokenizer {

/// The fields of one message, in the order of the file. Borrows its bytes.
class ProtobufReader {
 public:
  enum class WireType { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

  /// A value as the wire has it; the accessors check that it is what the caller expects.
  class Field {
   public:
    [[nodiscard]] uint64_t number() const noexcept { return number_; }
    /// @throws FormatError as all of them, naming the field's place in the file
    [[nodiscard]] std::string_view as_bytes() const;
    [[nodiscard]] float as_float() const;  ///< finite
    [[nodiscard]] bool as_bool() const;
    [[nodiscard]] int32_t as_int32() const;
    /// The message that the field holds.
    [[nodiscard]] ProtobufReader as_message() const;
    [[noreturn]] void fail(const std::string& why) const;

   private:
    friend class ProtobufReader;
    void expect(WireType type) const;

    const ProtobufReader* reader_ = nullptr;
    std::size_t at_ = 0;  // where it begins, in the file
    std::size_t bytes_at_ = 0;
    uint64_t number_ = 0;
    WireType type_ = WireType::kVarint;
    uint64_t integer_ = 0;
    std::string_view bytes_;
  };

  /// @param offset where `bytes` begin in the file, for messages
  ProtobufReader(std::string_view bytes, std::string file, std::size_t offset = 0)
      : bytes_(bytes), file_(std::move(file)), offset_(offset) {}

  /// The next field, valid as long as this reader; nullopt at the end.
  /// @throws FormatError if it is cut off, or is a group
  [[nodiscard]] std::optional<Field> next();

 private:
  [[nodiscard]] uint64_t read_varint();
  [[nodiscard]] uint64_t read_fixed(std::size_t size);
  [[noreturn]] void fail(std::size_t at, const std::string& why) const;

  std::string_view bytes_;
  std::string file_;
  std::size_t offset_;
  std::size_t at_ = 0;
};

}  // namespace aios::tokenizer
