#include "model/weight_binder.h"

#include <algorithm>
#include <utility>

#include "aios/error.h"

namespace aios {
namespace {

std::string shape_text(const std::vector<int64_t>& shape) {
  std::string text = "[";
  for (const int64_t extent : shape) {
    if (text.size() > 1) text += ", ";
    text += std::to_string(extent);
  }
  return text + "]";
}

bool is_float(DType dtype) {
  return dtype == DType::kF32 || dtype == DType::kBF16 || dtype == DType::kF16;
}

}  // namespace

std::string layer_name(const std::string& pattern, int64_t layer) {
  std::string name = pattern;
  const std::size_t hole = name.find("{}");
  if (hole != std::string::npos) name.replace(hole, 2, std::to_string(layer));
  return name;
}

TensorNames resolve_names(TensorNames names, const WeightLoader& weights) {
  const auto fits = [&](const std::string& prefix) {
    return weights.contains(prefix + names.token_embedding + ".weight");
  };
  const auto prefix = std::find_if(names.prefixes.begin(), names.prefixes.end(), fits);
  if (prefix == names.prefixes.end()) {
    const std::string first = names.prefixes.empty() ? "" : names.prefixes.front();
    throw FormatError("tensor '" + first + names.token_embedding +
                      ".weight' is missing; config.json and weights are of different models");
  }
  for (std::string* name :
       {&names.token_embedding, &names.position_embedding, &names.type_embedding,
        &names.embedding_norm, &names.attention_norm, &names.query, &names.key, &names.value,
        &names.query_norm, &names.key_norm, &names.attention_output, &names.mlp_norm, &names.gate,
        &names.up, &names.down, &names.final_norm}) {
    *name = *prefix + *name;
  }
  return names;
}

DeviceTensorPtr WeightBinder::tensor(const std::string& tensor, std::vector<int64_t> shape) {
  if (!weights_.contains(tensor)) {
    throw FormatError("tensor '" + tensor + "' of shape " + shape_text(shape) +
                      " is missing; the checkpoint is incomplete or config.json is not its own");
  }
  const TensorView view = weights_.tensor(tensor);
  if (view.shape != shape) {
    throw FormatError("tensor '" + tensor + "' has shape " + shape_text(view.shape) +
                      " where config.json asks for " + shape_text(shape) +
                      "; they are of different models");
  }
  if (!is_float(view.dtype)) {
    throw FormatError("tensor '" + tensor + "' holds " + std::string(dtype_name(view.dtype)) +
                      " where weights must be f32, bf16 or f16; convert the checkpoint first");
  }
  taken_.insert(tensor);
  return backend_.load(view);
}

DeviceTensorPtr WeightBinder::matrix(const std::string& name, int64_t rows, int64_t columns) {
  return tensor(name + ".weight", {rows, columns});
}

Linear WeightBinder::linear(const std::string& name, int64_t in_features, int64_t out_features,
                            bool has_bias) {
  Linear linear;
  linear.weight = matrix(name, out_features, in_features);
  if (has_bias) linear.bias = tensor(name + ".bias", {out_features});
  linear.in_features = in_features;
  linear.out_features = out_features;
  return linear;
}

Norm WeightBinder::norm(const std::string& name, NormKind kind, int64_t size, double epsilon) {
  Norm norm;
  norm.kind = kind;
  norm.weight = tensor(first_present({name + ".weight", name + ".gamma"}), {size});
  if (kind == NormKind::kLayerNorm) {
    norm.bias = tensor(first_present({name + ".bias", name + ".beta"}), {size});
  }
  norm.epsilon = static_cast<float>(epsilon);
  return norm;
}

std::string WeightBinder::first_present(const std::vector<std::string>& names) const {
  for (const std::string& name : names) {
    if (weights_.contains(name)) return name;
  }
  return names.front();
}

void WeightBinder::refuse_extra_tensors(const std::vector<std::string>& ignored) const {
  for (const TensorInfo& info : weights_.tensors()) {
    const auto occurs = [&](const std::string& part) {
      return info.name.find(part) != std::string::npos;
    };
    if (taken_.contains(info.name) || std::any_of(ignored.begin(), ignored.end(), occurs)) continue;
    throw FormatError("tensor '" + info.name + "' of shape " + shape_text(info.shape) +
                      " has no place in this network; config.json is not the checkpoint's own");
  }
}

}  // namespace aios
