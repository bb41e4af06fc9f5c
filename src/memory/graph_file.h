/// A segment's graph as a file beside it, `segment-NNNNNNNN.graph` (docs/formats/memory-store.md):
/// mapped and walked where it lies, and never the truth. What is wrong with it is found when it is
/// opened; a search then reads every vector instead, and the writer builds it anew.
#pragma once

#include <string>

#include "memory/vector_graph.h"

namespace aios {

/// The file appears whole or not at all. @throws IoError
void write_graph(const std::string& path, const VectorGraph& graph, const GraphRows& rows);

/// Reads every byte once. @throws IoError; FormatError if it is damaged, of another version, or not
/// of these rows
[[nodiscard]] VectorGraph open_graph(const std::string& path, const GraphRows& rows);

/// As `open_graph`, and also looks at every number of a row, which walks do as they come to them.
/// @return bytes of the file @throws IoError, FormatError
int64_t verify_graph(const std::string& path, const GraphRows& rows);

}  // namespace aios
