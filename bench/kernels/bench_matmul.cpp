/// Speed of the matrix products beside the machine's peaks.
///
/// Every line interleaves slices of the product, of the peaks' probes and of reading the weights,
/// so that other load on the machine falls on all; it gives the best and the median, their ratios
/// to the peaks, and the bound of the roofline: the highest peak, or the bytes that a product moves
/// at the speed at which the threads read as many. Quantised lines count their weights alone, the
/// others activations and results besides. A product is `Backend::project`: f32 activations
/// in and out, conversion included. One row is a matrix beyond the caches, against the best of all
/// readers of as much memory. With --json all samples are written, in 1e9 operations or bytes a
/// second: {"peaks": {name: samples}, "designs": {name: fraction}, "gemm": [{"name", "samples",
/// "operations_per_byte", "reads": samples, "peaks": {name: samples}}], "rows": [{"name",
/// "samples", "reads": {reader: samples}}]}; the samples of a product's peaks and reads were taken
/// between its own.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "aios/error.h"
#include "backend/cpu/cpu_backend.h"
#include "bench_weights.h"
#include "peak_probes.h"
#include "product_shapes.h"

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
  for (const auto& probe : {f32_probe(), bf16_probe(), int8_probe(), int8_tiles_probe()}) {
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
        "%-26s %8.1f G/s best, %8.1f median; one thread %8.1f of %.2f GHz x %.0f: "
        "%5.1f %%\n",
        probe->name.c_str(), all.best(), all.median(), one.best(), clock.best(),
        probe->operations_per_cycle, 100 * one.best() / design);
    report["peaks"][probe->name] = all.values;
    report["designs"][probe->name] = one.best() / design;
  }
}

/// Reads `memory` on all threads.
void run_reader(ThreadPool& pool, const Reader& reader, const std::vector<double>& memory,
                Rates& rates) {
  const auto threads = static_cast<std::size_t>(pool.num_threads());
  std::vector<double> sums(threads);
  const double start = seconds_now();
  pool.parallel_for(pool.num_threads(), [&](int64_t thread) {
    const auto i = static_cast<std::size_t>(thread);
    sums[i] = reader.run(memory, i * memory.size() / threads, (i + 1) * memory.size() / threads);
  });
  rates.add(static_cast<double>(memory.size() * sizeof(double)), seconds_now() - start);
}

constexpr int64_t kBeyondCaches = int64_t{512} << 20U;  // bytes

/// Bytes per second that 1, 2, ... threads read from memory far larger than a cache, each reader in
/// turn.
void measure_bandwidth(int max_threads, const Options& options, Json& report) {
  const std::vector<double> memory(kBeyondCaches / sizeof(double), 1.0);
  for (int threads = 1; threads <= max_threads; threads *= 2) {
    ThreadPool pool(threads);
    for (const Reader& reader : readers()) {
      Rates rates;
      const double end = seconds_now() + options.seconds;
      while (seconds_now() < end || rates.values.size() < 3) {
        run_reader(pool, reader, memory, rates);
      }
      const std::string name =
          "memory read, " + std::to_string(threads) + " threads, " + reader.name;
      std::printf("%-58s %8.1f GB/s best, %8.1f median\n", name.c_str(), rates.best(),
                  rates.median());
      report["peaks"][name] = rates.values;
    }
  }
}

constexpr Shape kShapes[] = {
    {64, 1024, 1024},  {64, 4096, 1024},  {64, 1024, 4096},  {64, 4096, 4096},  {64, 896, 4864},
    {64, 4864, 896},   {128, 4096, 1024}, {256, 4096, 1024}, {512, 4096, 1024}, {512, 1024, 4096},
    {512, 896, 4864},  {512, 4864, 896},  {32, 1536, 384},   {128, 1536, 384},  {128, 384, 1536},
    {1024, 1536, 384}, {1024, 384, 1536}, {1024, 384, 384}};

/// A product with its input and output.
class Product {
 public:
  Product(Backend& backend, const Shape& shape, const Weights& weights)
      : backend_(backend),
        shape_(shape),
        weights_(weights),
        input_(backend.allocate(shape.rows, shape.depth)),
        output_(backend.allocate(shape.rows, shape.columns)) {
    const auto size = static_cast<std::size_t>(shape.rows * shape.depth);
    backend.write(std::vector<float>(size, 0.5F), *input_, 0);
  }
  [[nodiscard]] double operations() const {
    return 2.0 * static_cast<double>(shape_.rows * shape_.columns) *
           static_cast<double>(shape_.depth);
  }
  [[nodiscard]] double bytes() const { return static_cast<double>(weights_.num_bytes); }
  /// Weights, activations and results, whose lines are fetched before they are written.
  [[nodiscard]] double traffic() const {
    const auto floats = static_cast<double>(shape_.rows * (shape_.depth + 2 * shape_.columns));
    return bytes() + floats * sizeof(float);
  }
  [[nodiscard]] std::string name() const {
    return weights_.name + " " + std::to_string(shape_.rows) + " x " +
           std::to_string(shape_.columns) + " x " + std::to_string(shape_.depth);
  }
  void run(double amount, Rates& rates) {
    const double start = seconds_now();
    backend_.project(weights_.linear, Activation::kNone, shape_.rows, *input_, *output_);
    rates.add(amount, seconds_now() - start);
  }

 private:
  Backend& backend_;
  Shape shape_;
  const Weights& weights_;
  BufferPtr input_;
  BufferPtr output_;
};

/// Rates of a product, and of the probes and readers between its runs.
struct Measurement {
  Rates product;
  std::vector<std::pair<std::string, Rates>> peaks;
  Rates reads;
};

/// @param traffic bytes that a product moves, at least
Measurement measure(Product& product, double traffic, ThreadPool& pool,
                    const std::vector<ComputeProbe>& probes, const Options& options) {
  const std::vector<double> memory(static_cast<std::size_t>(traffic) / sizeof(double), 1.0);
  Measurement measured;
  for (const ComputeProbe& probe : probes) measured.peaks.emplace_back(probe.name, Rates{});
  const double end = seconds_now() + options.seconds;
  while (seconds_now() < end || measured.product.values.size() < 5) {
    product.run(product.operations(), measured.product);
    for (std::size_t i = 0; i < probes.size(); ++i) {
      run_probe(pool, probes[i].run, measured.peaks[i].second);
    }
    for (const Reader& reader : readers()) run_reader(pool, reader, memory, measured.reads);
  }
  return measured;
}

/// Prints the line of a product and returns it.
Json report_product(Product& product, double traffic, ThreadPool& pool,
                    const std::vector<ComputeProbe>& probes, const Options& options) {
  const Measurement measured = measure(product, traffic, pool, probes, options);
  const Rates& rates = measured.product;
  const double intensity = product.operations() / traffic;
  std::printf("%-26s %8.1f %8.1f", product.name().c_str(), rates.best(), rates.median());
  Json line = {{"name", product.name()},
               {"operations_per_byte", intensity},
               {"samples", rates.values},
               {"reads", measured.reads.values}};
  double bound = 0;
  for (const auto& [name, peak] : measured.peaks) {
    std::printf("  %6.1f %6.1f %%", 100 * rates.best() / peak.best(),
                100 * rates.median() / peak.median());
    line["peaks"][name] = peak.values;
    bound = std::max(bound, peak.best());
  }
  bound = std::min(bound, intensity * measured.reads.best());
  std::printf("  %8.1f: %5.1f %%\n", bound, 100 * rates.best() / bound);
  return line;
}

/// One row on a matrix of half a gibibyte, and the readers between its runs.
Json measure_row(Backend& backend, const WeightFormat& format, ThreadPool& pool,
                 const Options& options) {
  constexpr int64_t kDepth = 4096;
  const int64_t columns = kBeyondCaches / format.bytes(kPanelRows, kDepth) * kPanelRows;
  const Weights weights(backend, format, columns, kDepth);
  const std::vector<double> memory(kBeyondCaches / sizeof(double), 1.0);
  Product product(backend, {1, columns, kDepth}, weights);
  Rates rates;
  std::vector<std::pair<std::string, Rates>> reads;
  for (const Reader& reader : readers()) reads.emplace_back(reader.name, Rates{});
  const double end = seconds_now() + options.seconds;
  while (seconds_now() < end || rates.values.size() < 5) {
    product.run(product.bytes(), rates);
    for (std::size_t i = 0; i < reads.size(); ++i) {
      run_reader(pool, readers()[i], memory, reads[i].second);
    }
  }
  double best = 0;
  double median = 0;
  Json line = {{"name", product.name()}, {"samples", rates.values}};
  for (const auto& [name, read] : reads) {
    best = std::max(best, read.best());
    median = std::max(median, read.median());
    line["reads"][name] = read.values;
  }
  std::printf("%-26s %8.1f %8.1f GB/s %6.1f %6.1f %% of the best reader (best, median)\n",
              product.name().c_str(), rates.best(), rates.median(), 100 * rates.best() / best,
              100 * rates.median() / median);
  return line;
}

void measure_floats(Backend& backend, ThreadPool& pool, const Options& options, Json& report) {
  std::printf("%-26s %8s %8s  of the peak (best, median), of the roofline's bound\n",
              "type, M x N x K", "best", "median");
  for (const DType dtype : {DType::kBF16, DType::kF32}) {
    const auto bf16 = dtype == DType::kBF16 ? bf16_probe() : std::nullopt;
    const auto peak = bf16 ? bf16 : f32_probe();
    if (!peak) throw DeviceError("no peak is known for this processor's design");
    for (const Shape& shape : kShapes) {
      const Weights weights(backend, {.dtype = dtype}, shape.columns, shape.depth);
      Product product(backend, shape, weights);
      report["gemm"].push_back(report_product(product, product.traffic(), pool, {*peak}, options));
    }
  }
}

void measure_quantized_shapes(Backend& backend, ThreadPool& pool, const Options& options,
                              Json& report) {
  std::vector<ComputeProbe> probes;
  for (const auto& probe : {int8_probe(), int8_tiles_probe()}) {
    if (probe) probes.push_back(*probe);
  }
  if (probes.empty()) return;
  std::printf(
      "%-26s %8s %8s  of the vectors' peak (best, median), of the tiles', of the roofline's "
      "bound\n",
      "type, M x N x K", "best", "median");
  for (const QuantizedFormat& format : kQuantizedFormats) {
    for (Shape shape : kQuantizedShapes) {
      const Weights weights(backend, {.quantized = format}, shape.columns, shape.depth);
      for (const int64_t rows : kQuantizedRows) {
        shape.rows = rows;
        Product product(backend, shape, weights);
        report["gemm"].push_back(report_product(product, product.bytes(), pool, probes, options));
      }
    }
  }
}

int run(const Options& options) {
  const auto pool = std::make_shared<ThreadPool>(options.num_threads);
  const auto backend = make_cpu_backend(pool, choose_isa(), ComputeType::kAuto);
  std::printf("instruction set %s, %d threads\n", std::string(isa_name(choose_isa())).c_str(),
              pool->num_threads());
  Json report;
  measure_peaks(*pool, options, report);
  measure_bandwidth(pool->num_threads(), options, report);
  report["rows"].push_back(measure_row(*backend, {.dtype = DType::kBF16}, *pool, options));
  for (const QuantizedFormat& format : kQuantizedFormats) {
    report["rows"].push_back(measure_row(*backend, {.quantized = format}, *pool, options));
  }
  measure_floats(*backend, *pool, options, report);
  measure_quantized_shapes(*backend, *pool, options, report);
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
