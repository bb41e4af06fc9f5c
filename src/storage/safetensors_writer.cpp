#include "storage/safetensors_writer.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "aios/error.h"
#include "storage/atomic_file.h"
#include "storage/safetensors_header.h"
#include "storage/tensor_table.h"

namespace aios {
namespace {

constexpr std::size_t kDataAlignment = 64;

std::string header_of(std::span<const NamedTensor* const> tensors, const std::string& path) {
  nlohmann::json header = {{"__metadata__", {{"format", "pt"}}}};
  std::size_t begin = 0;
  for (const NamedTensor* const named : tensors) {
    const TensorView& tensor = named->tensor;
    check_name(named->name, path);
    const std::string what = "'" + path + "': tensor '" + named->name + "'";
    if (header.contains(named->name)) throw FormatError(what + " is there twice");
    if (checked_num_bytes(tensor.shape, tensor.dtype, what) != tensor.num_bytes) {
      throw FormatError(what + " has " + std::to_string(tensor.num_bytes) +
                        " bytes, which is not what its shape and dtype need");
    }
    const std::size_t end = begin + tensor.num_bytes;
    header[named->name] = {{"dtype", safetensors_dtype_name(tensor.dtype)},
                           {"shape", tensor.shape},
                           {"data_offsets", {begin, end}}};
    begin = end;
  }
  std::string text = header.dump();
  const std::size_t size = sizeof(uint64_t) + text.size();
  text.append((kDataAlignment - size % kDataAlignment) % kDataAlignment, ' ');
  return text;
}

}  // namespace

void write_safetensors(const std::string& path, std::span<const NamedTensor> tensors,
                       const std::function<void(int64_t)>& on_written) {
  std::vector<const NamedTensor*> sorted;
  for (const NamedTensor& tensor : tensors) sorted.push_back(&tensor);
  std::stable_sort(sorted.begin(), sorted.end(), [](const auto* a, const auto* b) {
    return dtype_size(a->tensor.dtype) > dtype_size(b->tensor.dtype);
  });

  const std::string header = header_of(sorted, path);
  const uint64_t header_size = header.size();
  AtomicFile file(path);
  file.write(std::as_bytes(std::span(&header_size, 1)));
  file.write(header);
  constexpr std::size_t kPiece = std::size_t{64} << 20U;
  int64_t num_written = 0;
  for (const NamedTensor* const named : sorted) {
    std::span rest(named->tensor.data, named->tensor.num_bytes);
    while (!rest.empty()) {
      const auto piece = rest.first(std::min(rest.size(), kPiece));
      file.write(piece);
      rest = rest.subspan(piece.size());
      num_written += std::ssize(piece);
      if (on_written) on_written(num_written);
    }
  }
  file.commit();
}

}  // namespace aios
