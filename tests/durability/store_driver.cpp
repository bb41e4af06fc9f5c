// A store driven line by line, for the tests of durability: reads commands from standard input and
// answers each with one line, `ok ...` or `error TYPE MESSAGE`. An answer is written after the call
// has returned: who sees it has the store's word.
//
//   store_driver DIR [--background] [--read-only] [--seal-rows N] [--graph-rows N]
//                [--lock-timeout SECONDS]
//
// Memories are named by two numbers, `ID.VERSION`, from which all their fields follow, so that a
// dump can tell a memory that is wrong from one that is right.
#include <dlfcn.h>
#include <unistd.h>

#include <charconv>
#include <cstdio>
#include <cstring>
#include <iostream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "aios/error.h"
#include "aios/memory.h"

namespace {

constexpr int32_t kDimension = 24;  // of new stores; that of others tells how vectors are made
constexpr int64_t kSecond = 1'000'000;

/// Whole numbers, so that other programs compute the same floats.
std::vector<float> vector_of(int64_t id, int64_t version, int32_t dimension = kDimension) {
  std::vector<float> values(static_cast<std::size_t>(dimension));
  for (int32_t i = 0; i < dimension; ++i) {
    const int64_t mixed = id * 7919 + version * 104729 + int64_t{i} * i * 31 + i * id + 17 +
                          (dimension - kDimension) * 1009;
    values[static_cast<std::size_t>(i)] =
        static_cast<float>(mixed * 2'654'435'761 % 1'000'003 - 500'001);
  }
  return values;
}

/// Two words that no other memory has, nor begins with, among words that all have.
std::string content_of(int64_t id, int64_t version) {
  const std::string number = std::to_string(id);
  const std::string both = number + "v" + std::to_string(version);
  std::string text = "memory " + both + " keeps secret" + both + "s of keeper" + number + "k";
  for (int64_t i = 0; i < 5 + id % 40; ++i) text += " word" + std::to_string((id + i) % 50);
  return text;
}

aios::Memory memory_of(int64_t id, int64_t version, int32_t dimension) {
  aios::Memory memory;
  memory.memory_id = std::to_string(id);
  memory.timestamp = 1'700'000'000 * kSecond + id;
  memory.content = content_of(id, version);
  memory.embedding = vector_of(id, version, dimension);
  memory.metadata.category = "category-" + std::to_string(id % 7);
  memory.metadata.source = "version-" + std::to_string(version);
  memory.metadata.quality_score = static_cast<float>(id % 8) / 8;
  memory.metadata.extra = "{\"version\":" + std::to_string(version) + "}";
  return memory;
}

bool same(const aios::Memory& a, const aios::Memory& b) {
  return a.memory_id == b.memory_id && a.timestamp == b.timestamp && a.content == b.content &&
         a.embedding == b.embedding && a.metadata.category == b.metadata.category &&
         a.metadata.source == b.metadata.source &&
         a.metadata.quality_score == b.metadata.quality_score &&
         a.metadata.extra == b.metadata.extra;
}

int64_t number_in(std::string_view text) {
  int64_t value = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || rest != text.data() + text.size()) {
    throw aios::ConfigError("'" + std::string(text) + "' is no number");
  }
  return value;
}

/// `ID.VERSION`, or `ID.VERSION@EXPIRY` with the time in seconds since 1970.
aios::Memory memory_named(const std::string& name, int32_t dimension) {
  const std::size_t dot = name.find('.');
  const std::size_t at = name.find('@');
  if (dot == std::string::npos) throw aios::ConfigError("'" + name + "' has no version");
  const std::string_view view = name;
  aios::Memory memory = memory_of(number_in(view.substr(0, dot)),
                                  number_in(view.substr(dot + 1, at - dot - 1)), dimension);
  if (at != std::string::npos) memory.expires_at = number_in(view.substr(at + 1)) * kSecond;
  return memory;
}

/// Vectors of another dimension, from what a content says of its memory.
class OtherVectors final : public aios::EmbeddingProvider {
 public:
  explicit OtherVectors(int32_t dimension) : dimension_(dimension) {}
  std::string embedding_model() const override { return "driver-" + std::to_string(dimension_); }
  std::vector<float> embed(std::span<const std::string> texts) override {
    std::vector<float> all;
    for (const std::string& text : texts) {
      long long id = 0;
      long long version = 0;
      (void)std::sscanf(text.c_str(), "memory %lldv%lld", &id, &version);
      const std::vector<float> one = vector_of(id, version, dimension_);
      all.insert(all.end(), one.begin(), one.end());
    }
    return all;
  }

 private:
  int32_t dimension_;
};

class Driver {
 public:
  Driver(const std::string& directory, const aios::StorageConfig& config)
      : storage_(directory, config) {}

  /// What follows `ok ` in the answer.
  std::string run(const std::string& command, std::istream& rest) {
    std::vector<std::string> names;
    for (std::string name; rest >> name;) names.push_back(name);
    const std::string collection = aios::kDefaultCollection;
    if (command == "create") {
      storage_.create_collection({collection, kDimension, aios::Metric::kCosine, "driver"});
    } else if (command == "add" || command == "upsert") {
      std::vector<aios::Memory> memories;
      for (const std::string& name : names) memories.push_back(memory_named(name, dimension()));
      const auto result = command == "add" ? storage_.add(collection, memories)
                                           : storage_.upsert(collection, memories);
      return std::to_string(result.num_added);
    } else if (command == "edit") {
      const aios::Memory memory = memory_named(names.at(0), dimension());
      return std::to_string(
          storage_.edit(collection, memory.memory_id, memory.metadata, memory.expires_at));
    } else if (command == "remove") {
      return std::to_string(storage_.remove(collection, names));
    } else if (command == "forget") {
      return std::to_string(storage_.forget(collection, names));
    } else if (command == "expire") {
      return std::to_string(storage_.expire());
    } else if (command == "compact") {
      storage_.compact();
    } else if (command == "checkpoint") {
      storage_.checkpoint();
    } else if (command == "reembed") {
      OtherVectors vectors(static_cast<int32_t>(number_in(names.at(0))));
      const aios::ReembedResult result = storage_.reembed(collection, vectors);
      return std::to_string(result.num_resumed) + " " + std::to_string(result.num_embedded);
    } else if (command == "dimension") {
      return std::to_string(dimension());
    } else if (command == "verify") {
      return std::to_string(storage_.verify().num_memories);
    } else if (command == "dump") {
      return dump();
    } else if (command == "search") {
      return search(names.at(0));
    } else if (command == "scan") {
      return scan();
    } else if (command == "stats") {
      return stats();
    } else if (command == "shim") {
      call_shim(names);
    } else {
      throw aios::ConfigError("there is no command '" + command + "'");
    }
    return {};
  }

 private:
  [[nodiscard]] int32_t dimension() const {
    return storage_.collection(aios::kDefaultCollection).dimension;
  }

  /// All live memories as `ID.VERSION`. Each field is checked against what the name asks for.
  std::string dump() {
    aios::ListRequest all;
    all.limit = 1 << 30;
    std::string text;
    const std::vector<aios::Memory> memories = storage_.list(all);
    for (const aios::Memory& memory : memories) {
      const std::string version = memory.metadata.source.substr(std::strlen("version-"));
      // All have vectors of one dimension, be it that before or that after a re-embedding.
      const auto dimension = static_cast<int32_t>(memories.front().embedding.size());
      if (!same(memory, memory_of(number_in(memory.memory_id), number_in(version), dimension))) {
        throw aios::StorageError("memory " + memory.memory_id + " is not what was written");
      }
      text += (text.empty() ? "" : " ") + memory.memory_id + "." + version;
    }
    return text;
  }

  /// Ids that the memory's own vector, and then its own word, find first.
  std::string search(const std::string& name) {
    const aios::Memory memory = memory_named(name, dimension());
    aios::SearchRequest request;
    request.top_k = 1;
    request.embedding = memory.embedding;
    const aios::VectorSearch searching(storage_, 1);
    std::string text;
    for (const auto& hit : searching.search(request)) text += hit.memory.memory_id + " ";
    request.embedding.clear();
    request.text = "keeper" + memory.memory_id + "k";
    for (const auto& hit : searching.search(request)) text += hit.memory.memory_id;
    return text;
  }

  /// As `dump`, by a search whose results are all memories.
  std::string scan() {
    aios::SearchRequest request;
    request.top_k = 10'000;
    std::vector<aios::SearchHit> hits;
    for (bool done = false; !done;) {
      const int32_t before = dimension();
      request.embedding = vector_of(1, 1, before);
      try {
        hits = aios::VectorSearch(storage_, 1).search(request);
        done = true;
      } catch (const aios::StorageError&) {
        if (dimension() == before) throw;  // else a re-embedding ended meanwhile
      }
    }
    std::string text;
    for (const auto& hit : hits) {
      if (hit.memory.embedding.size() != request.embedding.size()) {
        throw aios::StorageError("memory " + hit.memory.memory_id + " is of another dimension");
      }
      const std::string version = hit.memory.metadata.source.substr(std::strlen("version-"));
      text += (text.empty() ? "" : " ") + hit.memory.memory_id + "." + version;
    }
    return text;
  }

  std::string stats() {
    const aios::StorageStats stats = storage_.stats();
    int64_t num_segments = 0;
    for (const auto& collection : stats.collections) num_segments += collection.num_segments;
    return std::to_string(stats.catalog_bytes) + " " + std::to_string(stats.segment_bytes) + " " +
           std::to_string(num_segments);
  }

  /// `shim clock SECONDS` sets the time of day; `shim heal` ends an injected fault.
  static void call_shim(const std::vector<std::string>& names) {
    const std::string symbol = "io_shim_" + names.at(0);
    void* const function = ::dlsym(RTLD_DEFAULT, symbol.c_str());
    if (function == nullptr) throw aios::ConfigError("the shim is not loaded");
    reinterpret_cast<void (*)(int64_t)>(function)(names.size() > 1 ? number_in(names[1]) : 0);
  }

  aios::ArrowStorage storage_;
};

const char* type_name(const aios::Error& error) {
  if (dynamic_cast<const aios::IoError*>(&error) != nullptr) return "IoError";
  if (dynamic_cast<const aios::StorageError*>(&error) != nullptr) return "StorageError";
  if (dynamic_cast<const aios::FormatError*>(&error) != nullptr) return "FormatError";
  if (dynamic_cast<const aios::ConfigError*>(&error) != nullptr) return "ConfigError";
  return "Error";
}

/// Runs `body` and writes its answer. @return whether it did what it was asked
template <typename Body>
bool answer(Body body) {
  std::string line;
  bool done = false;
  try {
    line = "ok " + body();
    done = true;
  } catch (const aios::Error& error) {
    line = std::string("error ") + type_name(error) + " " + error.what();
  } catch (const std::exception& error) {
    line = std::string("error foreign ") + error.what();
  }
  line += '\n';
  // Not through std::cout, whose writes the shim would not see.
  for (std::string_view rest = line; !rest.empty();) {
    const ssize_t written = ::write(STDOUT_FILENO, rest.data(), rest.size());
    if (written < 0) return false;
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
  return done;
}

aios::StorageConfig parse_config(int argc, char** argv) {
  aios::StorageConfig config;
  config.maintain_in_background = false;
  for (int i = 2; i < argc; ++i) {
    const std::string flag = argv[i];
    if (flag == "--background") config.maintain_in_background = true;
    if (flag == "--read-only") config.read_only = true;
    if (flag == "--graph-rows") config.graph_rows = number_in(argv[++i]);
    if (flag == "--seal-rows") config.seal_rows = number_in(argv[++i]);
    if (flag == "--lock-timeout") config.lock_timeout = static_cast<double>(number_in(argv[++i]));
  }
  return config;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  std::unique_ptr<Driver> driver;
  const bool opened = answer([&] {
    driver = std::make_unique<Driver>(argv[1], parse_config(argc, argv));
    return std::string("open");
  });
  for (std::string line; opened && std::getline(std::cin, line);) {
    std::istringstream words(line);
    std::string command;
    words >> command;
    answer([&] { return driver->run(command, words); });
  }
  return opened ? 0 : 1;
}
