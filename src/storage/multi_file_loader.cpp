#include "storage/multi_file_loader.h"

#include <algorithm>

#include "aios/error.h"

namespace aios {

void MultiFileLoader::add_file(std::unique_ptr<WeightLoader> file) {
  for (const TensorInfo& info : file->tensors()) {
    table_.add(info);
    file_of_.push_back(file.get());
  }
  files_.push_back(std::move(file));
}

void MultiFileLoader::add_file(std::unique_ptr<WeightLoader> file,
                               const std::vector<std::string>& names) {
  std::size_t num_found = 0;
  for (const TensorInfo& info : file->tensors()) {
    if (!std::binary_search(names.begin(), names.end(), info.name)) continue;
    table_.add(info);
    file_of_.push_back(file.get());
    ++num_found;
  }
  if (num_found != names.size()) {
    const auto missing = std::find_if(
        names.begin(), names.end(), [&](const std::string& name) { return !file->contains(name); });
    throw FormatError("'" + table_.path() + "' names tensor '" + *missing +
                      "', which its file does not have");
  }
  files_.push_back(std::move(file));
}

std::string_view MultiFileLoader::format() const noexcept { return files_.front()->format(); }

TensorView MultiFileLoader::tensor(std::string_view name) const {
  return file_of_[table_.index_of(name)]->tensor(name);
}

void MultiFileLoader::verify() const {
  for (const auto& file : files_) file->verify();
}

}  // namespace aios
