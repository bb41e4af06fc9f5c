// Any text as a filter of memories: a ConfigError, or SQL that SQLite compiles, whatever the text.
#include <cstdint>
#include <string>

#include "aios/error.h"
#include "memory/catalog_schema.h"
#include "memory/filter.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  static aios::Database* const database = [] {
    auto* const made = new aios::Database(":memory:", aios::DatabaseMode::kCreate);
    aios::prepare_catalog(*made);
    return made;
  }();
  const std::string text(reinterpret_cast<const char*>(data), size);
  try {
    const aios::SqlCondition filter = aios::parse_filter(text);
    aios::Query query(*database, "SELECT sequence FROM memory WHERE " +
                                     (filter.sql.empty() ? std::string("1") : filter.sql));
    filter.bind_to(query);
    while (query.step()) {
    }
  } catch (const aios::ConfigError&) {  // what a bad filter deserves
  }
  const std::string words = aios::text_query(text, aios::WordQuery::kAny);
  if (words.empty()) return 0;
  aios::Query query(*database, "SELECT rowid FROM text_index WHERE text_index MATCH ?");
  query.bind(std::string_view(words));
  while (query.step()) {
  }
  return 0;
}
