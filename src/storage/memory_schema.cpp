#include "storage/memory_schema.h"

namespace aios::memory_schema {
namespace {

using parquet::LogicalType;
using parquet::Repetition;
using parquet::Type;
using parquet::schema::GroupNode;
using parquet::schema::NodePtr;
using parquet::schema::NodeVector;
using parquet::schema::PrimitiveNode;

NodePtr field(const char* name, Type::type type, Repetition::type repetition = Repetition::REQUIRED,
              const std::shared_ptr<const LogicalType>& logical_type = LogicalType::None()) {
  return PrimitiveNode::Make(name, repetition, logical_type, type);
}

NodePtr text(const char* name) {
  return field(name, Type::BYTE_ARRAY, Repetition::REQUIRED, LogicalType::String());
}

NodePtr time(const char* name, Repetition::type repetition) {
  const auto microseconds = LogicalType::Timestamp(true, LogicalType::TimeUnit::MICROS);
  return field(name, Type::INT64, repetition, microseconds);
}

NodePtr group(const char* name, const NodeVector& fields) {
  return GroupNode::Make(name, Repetition::REQUIRED, fields);
}

}  // namespace

std::shared_ptr<GroupNode> file_schema() {
  const NodePtr list =
      GroupNode::Make("list", Repetition::REPEATED, {field("element", Type::FLOAT)});
  const NodePtr embedding =
      GroupNode::Make("embedding", Repetition::REQUIRED, {list}, LogicalType::List());
  const NodePtr metadata = group("metadata", {text("category"), text("source"),
                                              field("quality_score", Type::FLOAT), text("extra")});
  return std::static_pointer_cast<GroupNode>(
      group("schema", {text("memory_id"), time("timestamp", Repetition::REQUIRED),
                       time("expires_at", Repetition::OPTIONAL), text("content"), metadata,
                       field("sequence", Type::INT64), field("norm", Type::FLOAT), embedding}));
}

}  // namespace aios::memory_schema
