/// Writes matrices as `.npy` files, version 1.0 (numpy/lib/format.py), which `numpy.load` reads.
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace aios {

/// Writes a row-major [rows, columns] matrix in one step (storage/atomic_file.h).
/// `values.size()` must be rows * columns.
/// @throws IoError
void write_npy(const std::string& path, std::span<const float> values, int64_t rows,
               int64_t columns);
void write_npy(const std::string& path, std::span<const int32_t> values, int64_t rows,
               int64_t columns);

}  // namespace aios
