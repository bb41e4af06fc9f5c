#include "storage/npy_writer.h"

#include <string_view>

#include "storage/atomic_file.h"

namespace aios {
namespace {

/// Magic, version, header length as 16 bits, header: together a multiple of 64, ending in a
/// newline.
void write_matrix(const std::string& path, std::string_view type, std::span<const std::byte> bytes,
                  int64_t rows, int64_t columns) {
  constexpr std::string_view kMagic("\x93NUMPY\x01\x00", 8);
  constexpr std::size_t kAlignment = 64;
  std::string header = "{'descr': '" + std::string(type) + "', 'fortran_order': False, 'shape': (" +
                       std::to_string(rows) + ", " + std::to_string(columns) + "), }";
  const std::size_t size = kMagic.size() + sizeof(uint16_t) + header.size() + 1;
  header.append((kAlignment - size % kAlignment) % kAlignment, ' ');
  header += '\n';
  const auto header_size = static_cast<uint16_t>(header.size());

  AtomicFile file(path);
  file.write(kMagic);
  file.write(std::as_bytes(std::span(&header_size, 1)));
  file.write(header);
  file.write(bytes);
  file.commit();
}

}  // namespace

void write_npy(const std::string& path, std::span<const float> values, int64_t rows,
               int64_t columns) {
  write_matrix(path, "<f4", std::as_bytes(values), rows, columns);
}

void write_npy(const std::string& path, std::span<const int32_t> values, int64_t rows,
               int64_t columns) {
  write_matrix(path, "<i4", std::as_bytes(values), rows, columns);
}

}  // namespace aios
