#include "storage/safetensors_reader.h"

#include <utility>

#include "storage/safetensors_header.h"

namespace aios {

SafetensorsReader::SafetensorsReader(const std::string& path)
    : file_(MappedFile::open(path)), table_(path) {
  for (SafetensorsEntry& entry : parse_safetensors_header(file_->bytes(), path)) {
    begins_.push_back(entry.begin);
    table_.add(std::move(entry.info));
  }
}

TensorView SafetensorsReader::tensor(std::string_view name) const {
  const std::size_t index = table_.index_of(name);
  const TensorInfo& info = table_.tensors()[index];
  return make_view(info, file_->bytes().subspan(begins_[index], info.num_bytes), file_);
}

}  // namespace aios
