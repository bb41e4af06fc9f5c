/// Opening Parquet V2 files: how long, how much memory, and whether anything is copied.
///
///   bench_storage [--large] [FOLDER]
///
/// Makes a file of 1 GB and 300 tensors in FOLDER (default: the system's temporary folder), which
/// it removes again, and prints one line of figures for each question. Every measurement runs in a
/// process of its own, so that resident memory and start-up are those of a user. `--large` makes a
/// file with one tensor of 3 GB instead and compares every byte after the round trip.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "storage/parquet_writer.h"
#include "storage/weight_loader.h"

namespace {

using Clock = std::chrono::steady_clock;

constexpr int kNumTensors = 300;
constexpr int64_t kRows = 1750;  // 300 x [1750, 1000] bf16 = 1.05 GB
constexpr int64_t kColumns = 1000;
constexpr int kRepeats = 7;

double milliseconds_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

int64_t resident_kilobytes() {
  std::ifstream statm("/proc/self/statm");
  int64_t total = 0;
  int64_t resident = 0;
  statm >> total >> resident;
  return resident * ::sysconf(_SC_PAGESIZE) / 1024;
}

/// Ranges of this process's memory that show `path`.
std::vector<std::pair<std::uintptr_t, std::uintptr_t>> mappings_of(const std::string& path) {
  std::vector<std::pair<std::uintptr_t, std::uintptr_t>> ranges;
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    if (!line.ends_with(path)) continue;
    std::uintptr_t begin = 0;
    std::uintptr_t end = 0;
    if (std::sscanf(line.c_str(), "%lx-%lx", &begin, &end) == 2) ranges.emplace_back(begin, end);
  }
  return ranges;
}

void make_file(const std::string& path) {
  std::vector<uint16_t> values(static_cast<std::size_t>(kRows * kColumns));
  const auto owner = std::shared_ptr<const void>(values.data(), [](const void*) {});
  aios::ParquetModelWriter writer(path);
  const auto start = Clock::now();
  for (int i = 0; i < kNumTensors; ++i) {
    for (std::size_t k = 0; k < values.size(); ++k) {
      values[k] = static_cast<uint16_t>(k * 40503U + static_cast<unsigned>(i) * 977U);
    }
    writer.add("model.layers." + std::to_string(i / 10) + ".weight_" + std::to_string(i % 10),
               {aios::DType::kBF16,
                {kRows, kColumns},
                reinterpret_cast<const std::byte*>(values.data()),
                values.size() * sizeof(uint16_t),
                owner});
  }
  writer.finish();
  std::printf("write            %.0f ms for %ju bytes, fsync included\n", milliseconds_since(start),
              static_cast<std::uintmax_t>(std::filesystem::file_size(path)));
}

/// Opens the file and asks for every tensor, as loading a model does.
int measure_open(const std::string& path) {
  const int64_t resident_before = resident_kilobytes();
  const auto start = Clock::now();
  const auto loader = aios::WeightLoader::open(path);
  const double open_ms = milliseconds_since(start);
  std::vector<aios::TensorView> views;
  for (const auto& info : loader->tensors()) views.push_back(loader->tensor(info.name));
  const double all_ms = milliseconds_since(start);
  const int64_t resident_growth = resident_kilobytes() - resident_before;

  const auto ranges = mappings_of(path);
  const auto mapped = std::count_if(views.begin(), views.end(), [&](const auto& view) {
    const auto begin = reinterpret_cast<std::uintptr_t>(view.data);
    return std::any_of(ranges.begin(), ranges.end(), [&](const auto& range) {
      return begin >= range.first && begin + view.num_bytes <= range.second;
    });
  });
  const auto aligned = std::count_if(views.begin(), views.end(), [](const auto& view) {
    return reinterpret_cast<std::uintptr_t>(view.data) % 64 == 0;
  });
  std::printf(
      "open, all tensors %.1f ms (open alone %.1f ms); %td of %zu inside the mapping, "
      "%td on 64 bytes; resident growth %.1f MB\n",
      all_ms, open_ms, mapped, views.size(), aligned, static_cast<double>(resident_growth) / 1024);
  return 0;
}

/// What a fresh process does until it has seen one byte of one tensor.
int touch_first_tensor(const std::string& path) {
  const auto loader = aios::WeightLoader::open(path);
  const aios::TensorView view = loader->tensor(loader->tensors().front().name);
  [[maybe_unused]] const volatile std::byte touched = view.data[view.num_bytes / 2];
  return 0;
}

/// Runs this program again with `arguments`. @return milliseconds until it had ended
double run_self(const std::vector<std::string>& arguments) {
  std::fflush(stdout);
  const auto start = Clock::now();
  const pid_t child = ::fork();
  if (child == 0) {
    std::string self = "/proc/self/exe";
    std::vector<std::string> copies = arguments;
    std::vector<char*> argv{self.data()};
    for (std::string& argument : copies) argv.push_back(argument.data());
    argv.push_back(nullptr);
    ::execv(self.c_str(), argv.data());
    ::_exit(127);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  const double elapsed = milliseconds_since(start);
  if (status != 0) std::printf("the measuring process failed with status %d\n", status);
  return elapsed;
}

/// @return how many pages of the file are in the page cache all the same
std::size_t drop_from_page_cache(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY);
  ::fdatasync(descriptor);
  ::posix_fadvise(descriptor, 0, 0, POSIX_FADV_DONTNEED);
  const auto size = static_cast<std::size_t>(std::filesystem::file_size(path));
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  std::vector<unsigned char> pages((size + page - 1) / page);
  void* const mapping = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, descriptor, 0);
  ::mincore(mapping, size, pages.data());
  ::munmap(mapping, size);
  ::close(descriptor);
  return static_cast<std::size_t>(
      std::count_if(pages.begin(), pages.end(), [](unsigned char state) { return state & 1U; }));
}

void measure_small(const std::string& path) {
  make_file(path);
  for (int i = 0; i < kRepeats; ++i) run_self({"--open", path});
  std::vector<double> cold;
  std::vector<double> warm;
  std::size_t pages_left = 0;
  for (int i = 0; i < kRepeats; ++i) {
    pages_left = std::max(pages_left, drop_from_page_cache(path));
    cold.push_back(run_self({"--first", path}));
    warm.push_back(run_self({"--first", path}));
  }
  std::sort(cold.begin(), cold.end());
  std::sort(warm.begin(), warm.end());
  std::printf(
      "process start to end after the first tensor, %d runs: cold median %.1f ms, worst "
      "%.1f ms (at most %zu pages left in the cache); warm median %.1f ms\n",
      kRepeats, cold[kRepeats / 2], cold.back(), pages_left, warm[kRepeats / 2]);
  const auto start = Clock::now();
  aios::WeightLoader::open(path)->verify();
  std::printf("verify           %.0f ms\n", milliseconds_since(start));
}

uint32_t large_value(std::size_t index) { return static_cast<uint32_t>(index * 2654435761U); }

int measure_large(const std::string& path) {
  constexpr std::size_t kCount = 750'000'000;  // x 4 bytes = 3 GB
  {
    std::vector<uint32_t> values(kCount);
    for (std::size_t i = 0; i < kCount; ++i) values[i] = large_value(i);
    const auto start = Clock::now();
    aios::ParquetModelWriter writer(path);
    writer.add("large", {aios::DType::kI32,
                         {static_cast<int64_t>(kCount)},
                         reinterpret_cast<const std::byte*>(values.data()),
                         kCount * sizeof(uint32_t),
                         std::shared_ptr<const void>(values.data(), [](const void*) {})});
    writer.finish();
    std::printf("write 3 GB       %.0f ms\n", milliseconds_since(start));
  }
  const int64_t resident_before = resident_kilobytes();
  const auto start = Clock::now();
  const auto loader = aios::WeightLoader::open(path);
  const aios::TensorView view = loader->tensor("large");
  std::printf("open             %.1f ms, resident growth %.1f MB, %zu mappings of the file\n",
              milliseconds_since(start),
              static_cast<double>(resident_kilobytes() - resident_before) / 1024,
              mappings_of(path).size());
  const auto values = view.as<uint32_t>();
  std::size_t wrong = values.size() == kCount ? 0 : kCount;
  for (std::size_t i = 0; i < values.size(); ++i) wrong += values[i] != large_value(i) ? 1 : 0;
  std::printf("compare          %zu of %zu values wrong\n", wrong, values.size());
  return wrong == 0 ? 0 : 1;
}

int run(const std::vector<std::string>& arguments) {
  if (arguments.size() == 2 && arguments[0] == "--open") return measure_open(arguments[1]);
  if (arguments.size() == 2 && arguments[0] == "--first") return touch_first_tensor(arguments[1]);
  const bool large = !arguments.empty() && arguments[0] == "--large";
  const bool has_folder = arguments.size() > (large ? 1U : 0U);
  const std::filesystem::path folder =
      has_folder ? std::filesystem::path(arguments.back()) : std::filesystem::temp_directory_path();
  if (!std::filesystem::is_directory(folder)) {
    throw std::runtime_error(folder.string() + " is no folder: bench_storage [--large] [FOLDER]");
  }
  const std::string path =
      std::filesystem::absolute(folder) / ("bench_" + std::to_string(::getpid()) + ".parquet");
  int status = 0;
  if (large) {
    status = measure_large(path);
  } else {
    measure_small(path);
  }
  std::filesystem::remove(path);
  return status;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run({argv + 1, argv + argc});
  } catch (const std::exception& error) {
    std::fprintf(stderr, "error: %s\n", error.what());
    return 1;
  }
}
