/// The columns of a Parquet model file and what a row of them says.
///
/// docs/formats/parquet-v2.md is the specification. V1 has `layer_name`, `shape`, `dtype`, `data`
/// and `num_params`; V2 adds the columns of the quantisation.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace aios::quantization_schema {

inline constexpr std::string_view kLayerName = "layer_name";
inline constexpr std::string_view kShape = "shape";
inline constexpr std::string_view kDtype = "dtype";
inline constexpr std::string_view kNumParams = "num_params";
inline constexpr std::string_view kQuantType = "quant_type";
inline constexpr std::string_view kQuantAxis = "quant_axis";
inline constexpr std::string_view kGroupSize = "group_size";
inline constexpr std::string_view kLayout = "layout";
inline constexpr std::string_view kShardIndex = "shard_index";
inline constexpr std::string_view kScales = "scales";
inline constexpr std::string_view kZeroPoints = "zero_points";
inline constexpr std::string_view kData = "data";

/// Values of `layout`: elements as they are, and the panels of quantised matrices.
inline constexpr std::string_view kRowMajor = "row_major";
inline constexpr std::string_view kPanel32 = "panel_32";

/// Values of `data`, `scales` and `zero_points` start on a multiple of this in the file.
inline constexpr std::size_t kValueAlignment = 64;
/// Shards of a tensor start on, and all but the last are long, a multiple of this: no page of any
/// supported processor is larger, so they can be mapped one behind the other.
inline constexpr std::size_t kShardAlignment = 65536;
/// A value holds no more than this; larger tensors are sharded.
inline constexpr std::size_t kMaxValueBytes = std::size_t{1} << 30U;

/// What no sound file exceeds; a reader refuses more before it takes memory for it.
inline constexpr std::size_t kMaxNameBytes = 4096;
inline constexpr std::size_t kMaxRank = 16;
inline constexpr int64_t kMaxRows = 1'000'000;

/// Footer metadata: the version of the format, and the directory of rows (a hint).
inline constexpr std::string_view kVersionKey = "aios.format_version";
inline constexpr std::string_view kVersion = "2";
inline constexpr std::string_view kDirectoryKey = "aios.directory";

/// One row, less the bytes of its data. V1 files read as these defaults.
struct Row {
  std::string layer_name;
  std::vector<int64_t> shape;
  std::string dtype;
  int64_t num_params = 0;
  std::string quant_type = "none";
  int32_t quant_axis = -1;
  int32_t group_size = 0;
  std::string layout = "row_major";
  int32_t shard_index = 0;

  bool operator==(const Row&) const = default;
};

}  // namespace aios::quantization_schema
