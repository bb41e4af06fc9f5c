#include "quant/inverse_factor.h"

#include <algorithm>
#include <cmath>

namespace aios {
namespace {

constexpr std::size_t kLanes = 8;    // sums that run side by side
constexpr std::size_t kBlock = 32;   // columns of a step of the factorisation, a multiple of kLanes
constexpr std::size_t kChunk = 16;   // rows that a thread takes at once
constexpr std::size_t kStripe = 64;  // columns of the inverse that a thread takes at once

/// sums[l] -= sum over k of row[k] columns[k * stride + l], k ascending
void subtract_products(const double* row, const double* columns, std::size_t stride,
                       std::size_t depth, double* sums) noexcept {
  double lanes[kLanes];
  std::copy_n(sums, kLanes, lanes);
  for (std::size_t k = 0; k < depth; ++k) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      lanes[lane] -= row[k] * columns[k * stride + lane];
    }
  }
  std::copy_n(lanes, kLanes, sums);
}

int64_t num_chunks(std::size_t size, std::size_t chunk) noexcept {
  return static_cast<int64_t>((size + chunk - 1) / chunk);
}

/// In place, the lower triangular L with L L^T = A, a block of columns after the other: first what
/// the finished columns take from the block, for all rows at once, then the block itself.
class Cholesky {
 public:
  Cholesky(ThreadPool& pool, std::vector<double>& a, std::size_t size)
      : pool_(pool), a_(a), size_(size), finished_(size * kBlock) {}

  /// @return false if A is not positive definite
  bool run() {
    for (std::size_t begin = 0; begin < size_; begin += kBlock) {
      const std::size_t end = std::min(begin + kBlock, size_);
      turn_rows(begin, end);
      in_chunks(begin, size_, [&](std::size_t row) { subtract_finished(row, begin); });
      for (std::size_t row = begin; row < end; ++row) {
        if (!finish_row(row, begin, row + 1)) return false;
      }
      in_chunks(end, size_, [&](std::size_t row) { finish_row(row, begin, end); });
    }
    return true;
  }

 private:
  template <typename Body>
  void in_chunks(std::size_t begin, std::size_t end, const Body& body) {
    pool_.parallel_for(num_chunks(end - begin, kChunk), [&](int64_t chunk) {
      const std::size_t first = begin + static_cast<std::size_t>(chunk) * kChunk;
      for (std::size_t row = first; row < std::min(first + kChunk, end); ++row) body(row);
    });
  }

  /// The finished columns of the block's rows, turned: `finished_[k * kBlock + j]`.
  void turn_rows(std::size_t begin, std::size_t end) {
    for (std::size_t j = begin; j < end; ++j) {
      for (std::size_t k = 0; k < begin; ++k) finished_[k * kBlock + j - begin] = a_[j * size_ + k];
    }
  }

  void subtract_finished(std::size_t row, std::size_t begin) {
    double sums[kBlock] = {};
    const std::size_t width = std::min(kBlock, size_ - begin);
    double* const own = a_.data() + row * size_;
    std::copy_n(own + begin, width, sums);
    for (std::size_t lane = 0; lane < kBlock; lane += kLanes) {
      subtract_products(own, finished_.data() + lane, kBlock, begin, sums + lane);
    }
    std::copy_n(sums, width, own + begin);
  }

  /// Columns [begin, end) of a row, whose diagonal entry is the last or not among them.
  bool finish_row(std::size_t row, std::size_t begin, std::size_t end) {
    double* const own = a_.data() + row * size_;
    for (std::size_t j = begin; j < end; ++j) {
      const double* const other = a_.data() + j * size_;
      double sum = own[j];
      for (std::size_t k = begin; k < j; ++k) sum -= own[k] * other[k];
      if (j < row) {
        own[j] = sum / other[j];
      } else if (sum > 0) {
        own[j] = std::sqrt(sum);
      } else {
        return false;
      }
    }
    return true;
  }

  ThreadPool& pool_;
  std::vector<double>& a_;
  std::size_t size_;
  std::vector<double> finished_;
};

/// Some columns of L^-1, from the first row that has one on: [size - begin, kStripe].
std::vector<double> invert_stripe(const std::vector<double>& l, std::size_t size,
                                  std::size_t begin) {
  std::vector<double> inverse((size - begin) * kStripe);
  for (std::size_t row = begin; row < size; ++row) {
    const double* const line = l.data() + row * size;
    double* const own = inverse.data() + (row - begin) * kStripe;
    for (std::size_t lane = 0; lane < kStripe; lane += kLanes) {
      subtract_products(line + begin, inverse.data() + lane, kStripe, row - begin, own + lane);
    }
    for (std::size_t column = 0; column < kStripe; ++column) own[column] /= line[row];
    if (row - begin < kStripe) own[row - begin] = 1 / line[row];
  }
  return inverse;
}

}  // namespace

std::vector<float> inverse_factor(ThreadPool& pool, std::span<const float> covariance,
                                  int64_t size) {
  const auto n = static_cast<std::size_t>(size);
  double mean = 0;
  for (std::size_t i = 0; i < n; ++i) mean += covariance[i * n + i];
  mean = mean > 0 ? mean / static_cast<double>(n) : 1;
  std::vector<double> a(n * n);
  // U^T U = C^-1 with U upper: reverse the order of C's rows and columns, factor L L^T, and reverse
  // L^-1 back; so no inverse of C itself is formed.
  const auto load = [&](double damping) {
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j < n; ++j) {
        a[i * n + j] = covariance[(n - 1 - i) * n + (n - 1 - j)];
      }
      a[i * n + i] += damping * mean;
    }
  };
  double damping = 0.01;
  for (load(damping); !Cholesky(pool, a, n).run(); load(damping)) damping *= 10;
  std::vector<float> factor(n * n, 0.0F);
  pool.parallel_for(num_chunks(n, kStripe), [&](int64_t stripe) {
    const std::size_t begin = static_cast<std::size_t>(stripe) * kStripe;
    const std::vector<double> inverse = invert_stripe(a, n, begin);
    for (std::size_t row = begin; row < n; ++row) {
      for (std::size_t column = begin; column < std::min({begin + kStripe, row + 1}); ++column) {
        factor[(n - 1 - row) * n + (n - 1 - column)] =
            static_cast<float>(inverse[(row - begin) * kStripe + column - begin]);
      }
    }
  });
  return factor;
}

}  // namespace aios
