/// The catalogue's tables (docs/formats/memory-store.md), and how older ones are brought up to
/// date.
#pragma once

#include <string>

#include "memory/database.h"

namespace aios {

inline constexpr const char* kCatalogName = "catalog.sqlite";

/// Opens the catalogue of a store for its only writer: sets what its commits promise, creates the
/// tables or migrates them.
/// @throws StorageError if it is newer than this build, or no catalogue; IoError
void prepare_catalog(Database& database);

/// @throws StorageError if the catalogue has not this build's version
void check_catalog(Database& database);

}  // namespace aios
