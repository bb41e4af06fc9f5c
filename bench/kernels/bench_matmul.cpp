/// Speed of the matrix products beside the machine's peaks.
///
/// Every line interleaves slices of the product and of the peak's probe, so that other load on the
/// machine falls on both; it gives the best and the median of each and their ratios. A product is
/// `Backend::project`: f32 activations in and out, conversion to bf16 included. With --json all
/// samples are written, in GFLOP/s or GB/s:
/// {"peaks": {name: samples}, "designs": {name: fraction}, "gemm": [{"name", "peak", "samples"}]}.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <random>
#include <vector>

#include "aios/error.h"
#include "backend/cpu/cpu_backend.h"
#include "peak_probes.h"
#include "tensor/dtype.h"

namespace aios::bench {
namespace {

using Json = nlohmann::ordered_json;

double seconds_now() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration<double>(now).count();
}

/// Rates of repeated runs: 1e9 operations or bytes per second.
struct Rates {
  std::vector<double> values;
  void add(double amount, double seconds) { values.push_back(amount / seconds / 1e9); }
  [[nodiscard]] double best() const { return *std::ranges::max_element(values); }
  [[nodiscard]] double median() const {
    std::vector<double> sorted = values;
    std::ranges::sort(sorted);
    return sorted[sorted.size() / 2];
  }
};

/// Runs `probe` on all threads at once.
void run_probe(ThreadPool& pool, Probe probe, Rates& rates) {
  std::vector<double> amounts(static_cast<std::size_t>(pool.num_threads()));
  const double start = seconds_now();
  pool.parallel_for(pool.num_threads(),
                    [&](int64_t thread) { amounts[static_cast<std::size_t>(thread)] = probe(); });
  const double seconds = seconds_now() - start;
  double total = 0;
  for (const double amount : amounts) total += amount;
  rates.add(total, seconds);
}

struct Options {
  int num_threads = 0;
  double seconds = 0.5;  // per line
  std::string json_path;
};

/// The compute probes on one thread against their design's operations per cycle times the clock,
/// and on all threads, which may have to share cores.
void measure_peaks(ThreadPool& pool, const Options& options, Json& report) {
  ThreadPool alone(1);
  for (const auto& probe : {f32_probe(), bf16_probe()}) {
    if (!probe) continue;
    Rates one, clock, all;
    const double end = seconds_now() + 2 * options.seconds;
    while (seconds_now() < end) {
      run_probe(alone, probe->run, one);
      run_probe(alone, probe->count_cycles, clock);
      run_probe(pool, probe->run, all);
    }
    const double design = clock.best() * probe->operations_per_cycle;
    std::printf(
        "%-26s %8.1f GFLOP/s best, %8.1f median; one thread %8.1f of %.2f GHz x %.0f: "
        "%5.1f %%\n",
        probe->name.c_str(), all.best(), all.median(), one.best(), clock.best(),
        probe->operations_per_cycle, 100 * one.best() / design);
    report["peaks"][probe->name] = all.values;
    report["designs"][probe->name] = one.best() / design;
  }
}

/// Bytes per second that 1, 2, ... threads read from memory far larger than a cache.
void measure_bandwidth(int max_readers, const Options& options, Json& report) {
  const std::vector<double> memory(std::size_t{64} << 20U, 1.0);  // 512 MiB
  for (int readers = 1; readers <= max_readers; readers *= 2) {
    ThreadPool pool(readers);
    std::vector<double> sums(static_cast<std::size_t>(readers));
    Rates rates;
    const double end = seconds_now() + 2 * options.seconds;
    while (seconds_now() < end) {
      const double start = seconds_now();
      const std::size_t share = memory.size() / static_cast<std::size_t>(readers);
      pool.parallel_for(readers, [&](int64_t reader) {
        const auto index = static_cast<std::size_t>(reader);
        sums[index] += read_probe(memory, index * share, (index + 1) * share);
      });
      rates.add(static_cast<double>(memory.size() * sizeof(double)), seconds_now() - start);
    }
    const std::string name = "memory read, " + std::to_string(readers) + " threads";
    std::printf("%-26s %8.1f GB/s best, %8.1f median\n", name.c_str(), rates.best(),
                rates.median());
    report["peaks"][name] = rates.values;
  }
}

struct Shape {
  int64_t rows, columns, depth;
};

constexpr Shape kShapes[] = {
    {1, 4096, 4096},   {64, 1024, 1024},  {64, 4096, 1024},  {64, 1024, 4096},  {64, 4096, 4096},
    {64, 896, 4864},   {64, 4864, 896},   {128, 4096, 1024}, {256, 4096, 1024}, {512, 4096, 1024},
    {512, 1024, 4096}, {512, 896, 4864},  {512, 4864, 896},  {32, 1536, 384},   {128, 1536, 384},
    {128, 384, 1536},  {1024, 1536, 384}, {1024, 384, 1536}, {1024, 384, 384}};

Linear make_linear(Backend& backend, const Shape& shape, DType dtype) {
  const auto size = static_cast<std::size_t>(shape.columns * shape.depth);
  auto bytes = std::make_shared<std::vector<std::byte>>(size * dtype_size(dtype) + 64);
  std::minstd_rand engine(1);
  for (std::size_t i = 0; i < size; ++i) {
    const float value = static_cast<float>(engine() % 2001) / 1000.0F - 1.0F;
    const uint16_t half = float_to_bf16(value);
    std::byte* const target = bytes->data() + i * dtype_size(dtype);
    std::memcpy(target, dtype == DType::kF32 ? static_cast<const void*>(&value) : &half,
                dtype_size(dtype));
  }
  Linear linear;
  linear.weight = backend.load(
      {dtype, {shape.columns, shape.depth}, bytes->data(), size * dtype_size(dtype), bytes});
  linear.in_features = shape.depth;
  linear.out_features = shape.columns;
  return linear;
}

Json measure_shape(Backend& backend, ThreadPool& pool, const Shape& shape, DType dtype,
                   const ComputeProbe& peak, const Options& options) {
  const Linear linear = make_linear(backend, shape, dtype);
  const BufferPtr input = backend.allocate(shape.rows, shape.depth);
  const BufferPtr output = backend.allocate(shape.rows, shape.columns);
  backend.write(std::vector<float>(static_cast<std::size_t>(shape.rows * shape.depth), 0.5F),
                *input, 0);
  const double operations =
      2.0 * static_cast<double>(shape.rows * shape.columns) * static_cast<double>(shape.depth);
  Rates product, ceiling;
  const double end = seconds_now() + options.seconds;
  while (seconds_now() < end || product.values.size() < 5) {
    const double start = seconds_now();
    backend.project(linear, Activation::kNone, shape.rows, *input, *output);
    product.add(operations, seconds_now() - start);
    run_probe(pool, peak.run, ceiling);
  }
  const std::string name = std::string(dtype_name(dtype)) + " " + std::to_string(shape.rows) +
                           " x " + std::to_string(shape.columns) + " x " +
                           std::to_string(shape.depth);
  const auto weights =
      static_cast<double>(shape.columns * shape.depth) * static_cast<double>(dtype_size(dtype));
  std::printf("%-26s %8.1f %8.1f GFLOP/s %6.1f %6.1f %% %8.1f GB/s\n", name.c_str(), product.best(),
              product.median(), 100 * product.best() / ceiling.best(),
              100 * product.median() / ceiling.median(), weights / operations * product.median());
  return {{"name", name}, {"peak", peak.name}, {"samples", product.values}};
}

int run(const Options& options) {
  const auto pool = std::make_shared<ThreadPool>(options.num_threads);
  const auto backend = make_cpu_backend(pool, choose_isa(), ComputeType::kAuto);
  std::printf("instruction set %s, %d threads\n", std::string(isa_name(choose_isa())).c_str(),
              pool->num_threads());
  Json report;
  measure_peaks(*pool, options, report);
  measure_bandwidth(pool->num_threads(), options, report);
  std::printf("%-26s %8s %8s         of the peak (best, median), weights\n", "type, M x N x K",
              "best", "median");
  for (const DType dtype : {DType::kBF16, DType::kF32}) {
    const auto bf16 = dtype == DType::kBF16 ? bf16_probe() : std::nullopt;
    const auto peak = bf16 ? bf16 : f32_probe();
    if (!peak) throw DeviceError("no peak is known for this processor's design");
    for (const Shape& shape : kShapes) {
      report["gemm"].push_back(measure_shape(*backend, *pool, shape, dtype, *peak, options));
    }
  }
  if (options.json_path.empty()) return 0;
  std::ofstream file(options.json_path);
  file << report.dump(1) << '\n';
  return file.good() ? 0 : 1;
}

}  // namespace
}  // namespace aios::bench

int main(int argc, char** argv) {
  aios::bench::Options options;
  CLI::App app("Speed of the matrix products beside the machine's peaks");
  app.add_option("--threads", options.num_threads, "0: one per physical core");
  app.add_option("--seconds", options.seconds, "time per line");
  app.add_option("--json", options.json_path, "also write all samples to this file");
  CLI11_PARSE(app, argc, argv);
  try {
    return aios::bench::run(options);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "error: %s\n", error.what());
    return 1;
  }
}
