#include "memory/graph_file.h"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstring>

#include "aios/error.h"
#include "base/mapped_file.h"
#include "base/xxh64.h"
#include "storage/atomic_file.h"

namespace aios {
namespace {

constexpr uint64_t kMagic = 0x50415247534f4941;  // "AIOSGRAP"
constexpr uint32_t kVersion = 1;
static_assert(std::endian::native == std::endian::little);

struct Header {
  uint64_t magic = kMagic;
  uint32_t version = kVersion;
  uint32_t metric = 0;
  uint32_t dimension = 0;
  uint32_t degree = static_cast<uint32_t>(kGraphDegree);
  uint64_t num_rows = 0;
  uint64_t num_entries = 0;
  uint64_t rows_checksum = 0;  // of the segment's sequences and norms
  uint64_t body_checksum = 0;  // of what follows the header
  uint64_t checksum = 0;       // of the header up to here
};
static_assert(sizeof(Header) == 64);

uint64_t checksum_of(const Header& header) {
  return xxh64(std::as_bytes(std::span(&header, 1)).first(offsetof(Header, checksum)));
}

uint64_t checksum_of(const GraphRows& rows) {
  Xxh64 checksum;
  for (const MemorySegment::Group& group : rows.groups) {
    checksum.update(std::as_bytes(group.sequences));
    checksum.update(std::as_bytes(group.norms));
  }
  return checksum.digest();
}

uint64_t count_rows(const GraphRows& rows) {
  uint64_t count = 0;
  for (const MemorySegment::Group& group : rows.groups) count += group.norms.size();
  return count;
}

/// Cuts a file into its parts.
class Parts {
 public:
  explicit Parts(std::span<const std::byte> bytes) : rest_(bytes) {}
  template <typename T>
  std::span<const T> take(std::size_t count) {
    const auto part = rest_.first(count * sizeof(T));
    rest_ = rest_.subspan(part.size());
    return {reinterpret_cast<const T*>(part.data()), count};
  }

 private:
  std::span<const std::byte> rest_;
};

/// @throws FormatError unless the file is whole and has a graph of these rows
Header check(const MappedFile& file, const GraphRows& rows) {
  const auto fail = [&](const std::string& what) {
    throw FormatError("'" + file.path() + "' " + what +
                      ": searches read every vector until it is built again; run aios memory "
                      "compact on its folder");
  };
  const std::span<const std::byte> bytes = file.bytes();
  Header header;
  if (bytes.size() < sizeof(header)) fail("is too short for a graph");
  std::memcpy(&header, bytes.data(), sizeof(header));
  if (header.magic != kMagic) fail("is no graph");
  if (header.checksum != checksum_of(header)) fail("has a damaged header");
  if (header.version != kVersion || header.degree != kGraphDegree) fail("is of another version");
  const uint64_t num_rows = count_rows(rows);
  if (header.num_rows != num_rows || header.metric != static_cast<uint32_t>(rows.metric) ||
      header.dimension != static_cast<uint32_t>(rows.dimension) ||
      header.rows_checksum != checksum_of(rows)) {
    fail("is the graph of other rows");
  }
  // Counts are those of the rows, which are in memory: no product overflows.
  const std::size_t row_bytes =
      graph_stride(rows.dimension) + sizeof(RowScore) + kGraphDegree * sizeof(uint32_t);
  if (header.num_entries > num_rows || bytes.size() != sizeof(header) + num_rows * row_bytes +
                                                           header.num_entries * sizeof(uint32_t)) {
    fail("has not the size of its graph");
  }
  if (header.body_checksum != xxh64(bytes.subspan(sizeof(header)))) fail("is damaged");
  return header;
}

}  // namespace

void write_graph(const std::string& path, const VectorGraph& graph, const GraphRows& rows) {
  const std::span<const std::byte> parts[] = {
      std::as_bytes(graph.codes), std::as_bytes(graph.neighbours), std::as_bytes(graph.scores),
      std::as_bytes(graph.entries)};
  Header header;
  header.metric = static_cast<uint32_t>(graph.metric);
  header.dimension = static_cast<uint32_t>(graph.dimension);
  header.num_rows = graph.num_rows;
  header.num_entries = graph.entries.size();
  header.rows_checksum = checksum_of(rows);
  Xxh64 checksum;
  for (const auto part : parts) checksum.update(part);
  header.body_checksum = checksum.digest();
  header.checksum = checksum_of(header);
  AtomicFile file(path);
  file.write(std::as_bytes(std::span(&header, 1)));
  for (const auto part : parts) file.write(part);
  file.commit();
}

VectorGraph open_graph(const std::string& path, const GraphRows& rows) {
  const auto file = MappedFile::open(path);
  const Header header = check(*file, rows);
  VectorGraph graph;
  graph.owner = file;
  graph.dimension = rows.dimension;
  graph.metric = rows.metric;
  graph.num_rows = static_cast<uint32_t>(header.num_rows);
  graph.stride = graph_stride(rows.dimension);
  Parts parts(file->bytes().subspan(sizeof(header)));
  graph.codes = parts.take<uint8_t>(graph.num_rows * graph.stride);
  graph.neighbours = parts.take<uint32_t>(graph.num_rows * kGraphDegree);
  graph.scores = parts.take<RowScore>(graph.num_rows);
  graph.entries = parts.take<uint32_t>(header.num_entries);
  return graph;
}

int64_t verify_graph(const std::string& path, const GraphRows& rows) {
  const VectorGraph graph = open_graph(path, rows);
  const auto is_row = [&](uint32_t row) { return row < graph.num_rows; };
  const bool sound = std::ranges::all_of(graph.entries, is_row) &&
                     std::ranges::all_of(graph.neighbours, [&](uint32_t row) {
                       return row == kNoNeighbour || is_row(row);
                     });
  if (!sound) {
    throw FormatError("'" + path +
                      "' leads to rows that it has not: searches may find fewer; run aios memory "
                      "repair on its folder");
  }
  return static_cast<int64_t>(sizeof(Header) + graph.codes.size_bytes() +
                              graph.neighbours.size_bytes() + graph.scores.size_bytes() +
                              graph.entries.size_bytes());
}

}  // namespace aios
