#include "storage/parquet_directory.h"

#include <nlohmann/json.hpp>
#include <utility>

namespace aios {
namespace {

using nlohmann::json;
namespace schema = quantization_schema;

constexpr std::string_view kDataPageOffset = "data_page_offset";

}  // namespace

std::string directory_to_json(std::span<const DirectoryEntry> entries) {
  json directory = json::array();
  for (const auto& [row, data_page_offset] : entries) {
    directory.push_back({{schema::kLayerName, row.layer_name},
                         {schema::kShape, row.shape},
                         {schema::kDtype, row.dtype},
                         {schema::kNumParams, row.num_params},
                         {schema::kQuantType, row.quant_type},
                         {schema::kQuantAxis, row.quant_axis},
                         {schema::kGroupSize, row.group_size},
                         {schema::kLayout, row.layout},
                         {schema::kShardIndex, row.shard_index},
                         {kDataPageOffset, data_page_offset}});
  }
  return directory.dump();
}

std::optional<std::vector<DirectoryEntry>> directory_from_json(std::string_view text) {
  try {
    std::vector<DirectoryEntry> entries;
    for (const json& item : json::parse(text)) {
      DirectoryEntry entry;
      item.at(schema::kLayerName).get_to(entry.row.layer_name);
      item.at(schema::kShape).get_to(entry.row.shape);
      item.at(schema::kDtype).get_to(entry.row.dtype);
      item.at(schema::kNumParams).get_to(entry.row.num_params);
      item.at(schema::kQuantType).get_to(entry.row.quant_type);
      item.at(schema::kQuantAxis).get_to(entry.row.quant_axis);
      item.at(schema::kGroupSize).get_to(entry.row.group_size);
      item.at(schema::kLayout).get_to(entry.row.layout);
      item.at(schema::kShardIndex).get_to(entry.row.shard_index);
      item.at(kDataPageOffset).get_to(entry.data_page_offset);
      entries.push_back(std::move(entry));
    }
    return entries;
  } catch (const json::exception&) {
    return std::nullopt;
  }
}

}  // namespace aios
