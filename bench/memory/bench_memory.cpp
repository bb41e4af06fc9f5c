// Times a memory store through the public library, for bench/memory.py. All figures are seconds.
//
//   bench_memory fill STORE VECTORS.f32 DIMENSION METRIC BATCH [TEXTS]
//       adds the vectors, BATCH at a time, and prints the times of that and of compaction, which
//       builds the graphs; texts are the lines of a file, ids
//       the numbers of the rows, the category "c" and the last digit of it
//   bench_memory open STORE
//       prints the time to open it and bytes that are resident then
//   bench_memory search STORE QUERIES.f32 DIMENSION THREADS
//       answers lines "PRECISION[/EF_SEARCH] TOP_K RESCORE FIRST COUNT [FILTER]" with the time of
//       one search, by graphs if there is an EF_SEARCH (0: the default),
//       by the queries FIRST to FIRST + COUNT, and the ids of all results, TOP_K to a query

#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

#include "aios/error.h"
#include "aios/memory.h"

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

int64_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  int64_t all = 0;
  int64_t resident = 0;
  file >> all >> resident;
  return resident * ::sysconf(_SC_PAGESIZE);
}

std::vector<float> read_floats(const std::string& path) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  if (!file) throw aios::IoError("cannot read '" + path + "'");
  std::vector<float> floats(static_cast<std::size_t>(file.tellg()) / sizeof(float));
  file.seekg(0);
  file.read(reinterpret_cast<char*>(floats.data()),
            static_cast<std::streamsize>(floats.size() * sizeof(float)));
  return floats;
}

struct FillCase {
  std::string store;
  std::string vectors;
  std::size_t dimension = 0;
  std::string metric;
  std::size_t batch = 0;
  std::string texts;
};

void run_fill(const FillCase& fill) {
  const std::vector<float> vectors = read_floats(fill.vectors);
  std::ifstream texts(fill.texts);
  std::vector<aios::Memory> memories(vectors.size() / fill.dimension);
  for (std::size_t i = 0; i < memories.size(); ++i) {
    const auto first = vectors.begin() + static_cast<std::ptrdiff_t>(i * fill.dimension);
    memories[i].memory_id = std::to_string(i);
    memories[i].embedding.assign(first, first + static_cast<std::ptrdiff_t>(fill.dimension));
    memories[i].metadata.category = "c" + std::to_string(i % 10);
    memories[i].metadata.source = std::to_string(i);
    if (!std::getline(texts, memories[i].content)) memories[i].content = "row " + std::to_string(i);
  }
  const Clock::time_point start = Clock::now();
  aios::StorageConfig config;
  config.graph_rows = 1;
  aios::ArrowStorage storage(fill.store, config);
  storage.create_collection({aios::kDefaultCollection, static_cast<int32_t>(fill.dimension),
                             aios::metric_from_name(fill.metric), ""});
  for (std::size_t i = 0; i < memories.size(); i += fill.batch) {
    const std::size_t count = std::min(fill.batch, memories.size() - i);
    (void)storage.add(aios::kDefaultCollection, std::span(memories).subspan(i, count));
  }
  std::cout << seconds_since(start) << std::endl;
  const Clock::time_point compaction = Clock::now();
  storage.compact();
  std::cout << seconds_since(compaction) << std::endl;
}

void run_open(const std::string& store) {
  const int64_t before = resident_bytes();
  const Clock::time_point start = Clock::now();
  const aios::ArrowStorage storage(store, {.read_only = true});
  const aios::VectorSearch search(storage);
  std::cout << seconds_since(start) << ' ' << resident_bytes() << ' ' << before << std::endl;
}

void run_search(const std::string& store, const std::string& path, std::size_t dimension,
                int num_threads) {
  const std::vector<float> queries = read_floats(path);
  const aios::ArrowStorage storage(store, {.read_only = true});
  const aios::VectorSearch search(storage, num_threads);
  std::string line;
  while (std::getline(std::cin, line)) {
    std::istringstream fields(line);
    std::string precision;
    std::size_t first = 0;
    std::size_t count = 0;
    aios::SearchRequest request;
    fields >> precision >> request.top_k >> request.rescore >> first >> count;
    std::getline(fields >> std::ws, request.filter);
    const std::size_t slash = precision.find('/');
    request.precision = aios::precision_from_name(precision.substr(0, slash));
    request.index = aios::VectorIndex::kExact;
    if (slash != std::string::npos) {
      request.index = aios::VectorIndex::kAuto;
      request.ef_search = std::stoi(precision.substr(slash + 1));
    }
    request.include_content = false;
    request.include_embedding = false;
    const auto batch = std::span(queries).subspan(first * dimension, count * dimension);
    std::vector<std::vector<aios::SearchHit>> results;
    const Clock::time_point start = Clock::now();
    if (count == 1) {
      request.embedding.assign(batch.begin(), batch.end());
      results.push_back(search.search(request));
    } else {
      results = search.search_batch(request, batch);
    }
    std::cout << seconds_since(start);
    for (const auto& hits : results) {
      for (const aios::SearchHit& hit : hits) std::cout << ' ' << hit.memory.memory_id;
    }
    std::cout << std::endl;
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  const std::string kind = arguments.empty() ? "" : arguments[0];
  try {
    if (kind == "fill" && (arguments.size() == 6 || arguments.size() == 7)) {
      run_fill({arguments[1], arguments[2], std::stoul(arguments[3]), arguments[4],
                std::stoul(arguments[5]), arguments.size() == 7 ? arguments[6] : ""});
    } else if (kind == "open" && arguments.size() == 2) {
      run_open(arguments[1]);
    } else if (kind == "search" && arguments.size() == 5) {
      run_search(arguments[1], arguments[2], std::stoul(arguments[3]), std::stoi(arguments[4]));
    } else {
      std::cerr << "error: usage: bench_memory fill|open|search ...; see bench_memory.cpp\n";
      return 2;
    }
  } catch (const std::exception& error) {
    std::cerr << "error: " << error.what() << '\n';
    return EXIT_FAILURE;
  }
  return EXIT_SUCCESS;
}
