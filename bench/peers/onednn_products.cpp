/// Speed of oneDNN's 8-bit products beside the peak of vectors, as bench_kernels measures ours.
///
///     onednn_products THREADS SECONDS_PER_PRODUCT
///
/// Prints {"M x N x K": {"samples", "peaks"}}, 1e9 operations a second. Activations are bytes
/// already and weights packed beforehand, sums run along the whole depth, and one scale, of 1, is
/// for all: less work than ours, which rounds f32 and has a scale for every 128 steps. Between runs
/// the peak is measured, and as many bytes are read as the weights have, by each of our readers.
#include <omp.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dnnl.hpp>
#include <unordered_map>
#include <utility>
#include <vector>

#include "peak_probes.h"
#include "product_shapes.h"

namespace {

using aios::bench::Shape;

double seconds_now() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration<double>(now).count();
}

double measure_peak(const aios::bench::ComputeProbe& probe) {
  double operations = 0;
  const double start = seconds_now();
#pragma omp parallel reduction(+ : operations)
  operations += probe.run();
  return operations / (seconds_now() - start) / 1e9;
}

void read(const std::vector<double>& memory) {
  static volatile double sum;
  for (const aios::bench::Reader& reader : aios::bench::readers()) {
    double total = 0;
#pragma omp parallel reduction(+ : total)
    {
      const auto thread = static_cast<std::size_t>(omp_get_thread_num());
      const auto threads = static_cast<std::size_t>(omp_get_num_threads());
      total += reader.run(memory, thread * memory.size() / threads,
                          (thread + 1) * memory.size() / threads);
    }
    sum = total;
  }
}

class Product {
 public:
  Product(const dnnl::engine& engine, const Shape& shape) : stream_(engine) {
    using Memory = dnnl::memory;
    using Type = Memory::data_type;
    using Tag = Memory::format_tag;
    const Memory::desc x({shape.rows, shape.depth}, Type::u8, Tag::ab);
    const Memory::desc weights({shape.depth, shape.columns}, Type::s8, Tag::any);
    const Memory::desc out({shape.rows, shape.columns}, Type::f32, Tag::ab);
    const dnnl::matmul::primitive_desc description(engine, x, weights, out);
    matmul_ = dnnl::matmul(description);
    for (const auto& [argument, desc] :
         {std::pair{DNNL_ARG_SRC, x}, std::pair{DNNL_ARG_WEIGHTS, description.weights_desc()},
          std::pair{DNNL_ARG_DST, out}}) {
      Memory memory(desc, engine);
      std::memset(memory.get_data_handle(), 1, desc.get_size());
      arguments_.insert({argument, memory});
    }
  }
  void run() {
    matmul_.execute(stream_, arguments_);
    stream_.wait();
  }

 private:
  dnnl::stream stream_;
  dnnl::matmul matmul_;
  std::unordered_map<int, dnnl::memory> arguments_;
};

void print(const char* name, const std::vector<double>& values, const char* end) {
  std::printf("\"%s\": [", name);
  for (std::size_t i = 0; i < values.size(); ++i) {
    std::printf("%s%.6g", i == 0 ? "" : ", ", values[i]);
  }
  std::printf("]%s", end);
}

}  // namespace

int main(int argc, char** argv) {
  const auto probe = aios::bench::int8_probe();
  if (argc != 3 || !probe) {
    std::fprintf(stderr, "onednn_products THREADS SECONDS, on a processor with AVX2\n");
    return 1;
  }
  omp_set_num_threads(std::atoi(argv[1]));
  const double seconds = std::atof(argv[2]);
  const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  const char* separator = "{";
  for (Shape shape : aios::bench::kQuantizedShapes) {
    for (const int64_t rows : aios::bench::kQuantizedRows) {
      shape.rows = rows;
      Product product(engine, shape);
      const auto operations = 2.0 * static_cast<double>(rows * shape.columns * shape.depth);
      const std::vector<double> memory(
          static_cast<std::size_t>(shape.columns * shape.depth) / sizeof(double), 1.0);
      std::vector<double> samples, peaks;
      product.run();
      for (const double end = seconds_now() + seconds; seconds_now() < end || samples.size() < 5;) {
        const double start = seconds_now();
        product.run();
        samples.push_back(operations / (seconds_now() - start) / 1e9);
        peaks.push_back(measure_peak(*probe));
        read(memory);
      }
      std::printf("%s\"%lld x %lld x %lld\": {", separator, static_cast<long long>(rows),
                  static_cast<long long>(shape.columns), static_cast<long long>(shape.depth));
      print("samples", samples, ", ");
      print("peaks", peaks, "}");
      separator = ",\n";
    }
  }
  std::printf("}\n");
  return 0;
}
