// Any bytes as a graph file, and a sound graph with any bytes changed and its checksums made right
// again: a FormatError, or a graph that walks touch no byte outside of.
#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

#include "aios/error.h"
#include "base/xxh64.h"
#include "memory/graph_file.h"
#include "memory/graph_walk.h"
#include "memory_file.h"

namespace {

constexpr int32_t kDimension = 5;
constexpr std::size_t kRows = 40;
constexpr std::size_t kHeader = 64;

/// Rows, and the file of their graph.
struct Sound {
  Sound() {
    for (std::size_t i = 0; i < kRows * kDimension; ++i) {
      embeddings.push_back(static_cast<float>(i * 37 % 23) - 11);
    }
    for (std::size_t i = 0; i < kRows; ++i) {
      sequences.push_back(static_cast<int64_t>(i));
      norms.push_back(
          aios::embedding_norm(std::span(embeddings).subspan(i * kDimension, kDimension)));
    }
    group.sequences = sequences;
    group.norms = norms;
    group.embeddings = embeddings;
    aios::ThreadPool pool(1);
    const auto graph = aios::build_graph(rows(), aios::kernels_for(aios::choose_isa()), pool,
                                         [] { return false; });
    const std::string path = std::filesystem::temp_directory_path() /
                             ("memory_graph_fuzz." + std::to_string(::getpid()));
    aios::write_graph(path, *graph, rows());
    std::ifstream file(path, std::ios::binary);
    bytes.assign(std::istreambuf_iterator<char>(file), {});
    std::filesystem::remove(path);
  }
  [[nodiscard]] aios::GraphRows rows() const {
    return {std::span(&group, 1), kDimension, aios::Metric::kCosine};
  }
  std::vector<int64_t> sequences;
  std::vector<float> norms;
  std::vector<float> embeddings;
  aios::MemorySegment::Group group;
  std::vector<char> bytes;
};

void put_checksum(std::vector<char>& bytes, std::size_t at, std::size_t begin, std::size_t end) {
  const auto covered = std::as_bytes(std::span(bytes)).subspan(begin, end - begin);
  const uint64_t checksum = aios::xxh64(covered);
  std::memcpy(bytes.data() + at, &checksum, sizeof(checksum));
}

void walk(const Sound& sound, const std::vector<char>& bytes) {
  const aios::MemoryFile file(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
  try {
    const aios::VectorGraph graph = aios::open_graph(file.path(), sound.rows());
    aios::GraphWalk walk(aios::kernels_for(aios::choose_isa()));
    const aios::GraphView view = aios::view_of(graph);
    const std::vector<int8_t> query(graph.stride, 3);
    for (const aios::WalkHit& hit : walk.run(view, {query.data(), 1, 3 * 128 * kDimension, 0}, 7,
                                             [](uint32_t row) { return row % 3 != 0; })) {
      if (hit.row >= kRows) std::abort();
    }
  } catch (const aios::FormatError&) {  // what a bad file deserves
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  if (size == 0) return -1;
  static const Sound& sound = *new Sound;
  walk(sound, {data, data + size});
  std::vector<char> bytes = sound.bytes;
  const std::size_t begin = data[0] * bytes.size() / 256;
  for (std::size_t i = 1; i < size && begin + i - 1 < bytes.size(); ++i) {
    bytes[begin + i - 1] = static_cast<char>(bytes[begin + i - 1] ^ static_cast<char>(data[i]));
  }
  put_checksum(bytes, kHeader - 16, kHeader, bytes.size());
  put_checksum(bytes, kHeader - 8, 0, kHeader - 8);
  walk(sound, bytes);
  return 0;
}
