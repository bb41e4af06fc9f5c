#include <gmock/gmock.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <new>

#include "backend/cpu/cpu_backend_test_support.h"

namespace {

std::atomic<int64_t> num_allocations{0};

void* allocate(std::size_t size, std::size_t alignment) {
  ++num_allocations;
  const std::size_t whole = (size + alignment - 1) / alignment * alignment;
  void* const memory = std::aligned_alloc(alignment, whole == 0 ? alignment : whole);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace

// The other forms of new and delete call these; not under sanitizers (cmake/Room.cmake).
void* operator new(std::size_t size) { return allocate(size, alignof(std::max_align_t)); }
void* operator new(std::size_t size, std::align_val_t alignment) {
  return allocate(size, static_cast<std::size_t>(alignment));
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t /*size*/) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t /*alignment*/) noexcept { std::free(memory); }

namespace aios {
namespace {

using backend_test::make_backend;
using backend_test::make_buffer;
using backend_test::Random;
using backend_test::TestLinear;

constexpr int64_t kWidth = 128;
constexpr int64_t kInner = 384;
/// A layer's operations over two sequences of `length` tokens.
class Layer {
 public:
  /// @param type DType of the weights, or the format of quantised ones
  template <typename Type>
  Layer(Backend& backend, const Type& type) : backend_(backend) {
    Random random(5);
    const auto linear = [&](int64_t in, int64_t out) {
      return TestLinear(backend, random, in, out, type).linear;
    };
    input_.query = linear(kWidth, kWidth);
    input_.key = linear(kWidth, kWidth);
    input_.value = linear(kWidth, kWidth);
    input_.rotary = &rotary_;
    input_.num_attention_heads = input_.num_key_value_heads = 4;
    input_.head_dim = kWidth / 4;
    output_ = linear(kWidth, kWidth);
    mlp_.gate = linear(kWidth, kInner);
    mlp_.up = linear(kWidth, kInner);
    mlp_.down = linear(kInner, kWidth);
    attention_.num_attention_heads = attention_.num_key_value_heads = 4;
    attention_.head_dim = kWidth / 4;
    attention_.scale = 0.2F;
  }

  /// Allocations of a first run and of another one behind it.
  [[nodiscard]] std::array<int64_t, 2> allocations(int32_t length) {
    const int64_t rows = 2 * length;
    const BufferPtr hidden = make_buffer(backend_, Random(6).normal(rows * kWidth), rows);
    const BufferPtr query = backend_.allocate(rows, kWidth);
    const BufferPtr key = backend_.allocate(rows, kWidth);
    const BufferPtr value = backend_.allocate(rows, kWidth);
    const BufferPtr context = backend_.allocate(rows, kWidth);
    const std::vector<int32_t> starts = {0, length, 2 * length};
    std::vector<int32_t> positions;
    for (int32_t i = 0; i < rows; ++i) positions.push_back(i % length);
    const std::vector<KeyValueRange> ranges = {{key.get(), value.get(), 0, length, 0},
                                               {key.get(), value.get(), length, length, 0}};
    std::array<int64_t, 2> counts{};
    for (int64_t& count : counts) {
      const int64_t before = num_allocations;
      backend_.attention_input(input_, positions, *hidden, *query, *key, *value);
      backend_.attend(attention_, starts, ranges, *query, *context);
      backend_.project_add(output_, rows, *context, *hidden);
      backend_.mlp(mlp_, rows, *hidden);
      count = num_allocations - before;
    }
    return counts;
  }

 private:
  Backend& backend_;
  const Rotary rotary_{{1.0F, 0.5F, 0.1F, 0.01F}, 1.0F};
  AttentionInputOp input_;
  AttentionOp attention_;
  Linear output_;
  MlpOp mlp_;
};

TEST(CpuAllocations, TheSecondRunOfALayerMakesNone) {
  const auto backend = make_backend(choose_isa(), 2, ComputeType::kAuto);
  Layer layers[] = {{*backend, QuantizedFormat{QuantType::kInt4, 128}}, {*backend, DType::kBF16}};
  for (Layer& layer : layers) {
    EXPECT_GT(layer.allocations(300)[0], 0);  // they are counted
    for (const int32_t length : {64, 1, 200, 7}) {
      EXPECT_EQ(layer.allocations(length)[1], 0) << length;
    }
  }
}

}  // namespace
}  // namespace aios
