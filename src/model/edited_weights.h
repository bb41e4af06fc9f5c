/// For tests: a checkpoint with some of its tensors changed.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "aios/error.h"
#include "storage/weight_loader.h"

namespace aios {

class EditedWeights final : public WeightLoader {
 public:
  explicit EditedWeights(const WeightLoader& source) {
    for (const TensorInfo& info : source.tensors()) views_[info.name] = source.tensor(info.name);
    list();
  }

  void edit(const std::function<void(std::map<std::string, TensorView>&)>& change) {
    change(views_);
    list();
  }
  /// Lists nothing, so that no tensor counts as extra; all can still be had by name.
  void hide_list() { infos_.clear(); }

  [[nodiscard]] std::string_view format() const noexcept override { return "edited"; }
  [[nodiscard]] const std::vector<TensorInfo>& tensors() const noexcept override { return infos_; }
  [[nodiscard]] bool contains(std::string_view name) const noexcept override {
    return views_.contains(std::string(name));
  }
  [[nodiscard]] TensorView tensor(std::string_view name) const override {
    const auto found = views_.find(std::string(name));
    if (found == views_.end()) throw FormatError("no tensor " + std::string(name));
    return found->second;
  }
  void verify() const override {}

 private:
  void list() {
    infos_.clear();
    for (const auto& [name, view] : views_) {
      infos_.push_back({name, view.dtype, view.shape, view.num_bytes});
    }
  }

  std::map<std::string, TensorView> views_;
  std::vector<TensorInfo> infos_;
};

}  // namespace aios
