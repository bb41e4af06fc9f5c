/// For tests: a real head on real buffers, fed with rows of logits (hidden = row, weight =
/// identity).
#pragma once

#include <memory>
#include <numeric>
#include <vector>

#include "backend/cpu/cpu_backend.h"
#include "base/thread_pool.h"

namespace aios::test {

class BackendHead {
 public:
  explicit BackendHead(int64_t vocab_size)
      : vocab_size_(vocab_size),
        backend_(
            make_cpu_backend(std::make_shared<ThreadPool>(1), choose_isa(), ComputeType::kF32)) {
    const auto identity = std::make_shared<std::vector<float>>(vocab_size * vocab_size);
    for (int64_t i = 0; i < vocab_size; ++i) {
      (*identity)[static_cast<std::size_t>(i * (vocab_size + 1))] = 1;
    }
    TensorView view;
    view.shape = {vocab_size, vocab_size};
    view.data = reinterpret_cast<const std::byte*>(identity->data());
    view.num_bytes = identity->size() * sizeof(float);
    view.owner = identity;
    linear_.weight = backend_->load(view);
    linear_.in_features = vocab_size;
    linear_.out_features = vocab_size;
  }

  void operator()(const std::vector<std::vector<double>>& logits, const HeadRequest& request,
                  HeadResult& result) const {
    result = {};
    if (logits.empty()) return;
    std::vector<float> hidden;
    for (const std::vector<double>& row : logits) {
      for (const double logit : row) hidden.push_back(static_cast<float>(logit));
    }
    const auto num_rows = static_cast<int64_t>(logits.size());
    const BufferPtr buffer = backend_->allocate(num_rows, vocab_size_);
    backend_->write(hidden, *buffer, 0);
    std::vector<int32_t> rows(logits.size());
    std::iota(rows.begin(), rows.end(), 0);
    HeadRequest own = request;
    own.rows = rows;
    backend_->head(linear_, own, *buffer, result);
  }

 private:
  int64_t vocab_size_;
  std::shared_ptr<Backend> backend_;
  Linear linear_;
};

}  // namespace aios::test
