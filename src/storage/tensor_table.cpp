#include "storage/tensor_table.h"

#include <arrow/util/utf8.h>

#include <cstring>
#include <limits>
#include <utility>

#include "aios/error.h"
#include "base/aligned_buffer.h"

namespace aios {

std::size_t checked_num_bytes(std::span<const int64_t> shape, DType dtype,
                              const std::string& what) {
  int64_t bytes = static_cast<int64_t>(dtype_size(dtype));
  bool empty = false;
  for (const int64_t extent : shape) {
    if (extent < 0) {
      throw FormatError(what + ": its shape has the negative extent " + std::to_string(extent));
    }
    if (extent == 0) {
      empty = true;
    } else if (__builtin_mul_overflow(bytes, extent, &bytes)) {
      throw FormatError(what + ": its shape overflows: more than 2^63 bytes");
    }
  }
  return empty ? 0 : static_cast<std::size_t>(bytes);
}

void check_name(std::string_view name, const std::string& path) {
  arrow::util::InitializeUTF8();
  if (!arrow::util::ValidateUTF8(name)) {
    throw FormatError("'" + path + "': the name of a tensor is not UTF-8");
  }
}

TensorView make_view(const TensorInfo& info, std::span<const std::byte> bytes,
                     std::shared_ptr<const void> owner) {
  TensorView view{info.dtype, info.shape, bytes.data(), bytes.size(), std::move(owner)};
  if (reinterpret_cast<std::uintptr_t>(bytes.data()) % dtype_size(info.dtype) != 0) {
    auto copy = std::make_shared<AlignedBuffer<std::byte>>(bytes.size());
    if (!bytes.empty()) std::memcpy(copy->data(), bytes.data(), bytes.size());
    view.data = copy->data();
    view.owner = std::move(copy);
  }
  return view;
}

void TensorTable::add(TensorInfo info) {
  if (!index_.emplace(info.name, tensors_.size()).second) {
    throw FormatError("'" + path_ + "': tensor '" + info.name + "' is there twice");
  }
  tensors_.push_back(std::move(info));
}

std::size_t TensorTable::index_of(std::string_view name) const {
  const auto found = index_.find(name);
  if (found == index_.end()) {
    throw FormatError("'" + path_ + "' has no tensor '" + std::string(name) + "'");
  }
  return found->second;
}

}  // namespace aios
