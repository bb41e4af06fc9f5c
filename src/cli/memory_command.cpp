#include <chrono>
#include <memory>

#include "aios/error.h"
#include "aios/memory.h"
#include "cli/answers.h"
#include "cli/command.h"
#include "cli/command_encoder.h"
#include "cli/memory_transfer_command.h"
#include "cli/output.h"
#include "cli/text_input.h"

namespace aios {
namespace {

Json to_json(const Memory& memory) {
  Json answer = {{"memory_id", memory.memory_id},
                 {"timestamp", memory.timestamp},
                 {"content", memory.content},
                 {"metadata",
                  {{"category", memory.metadata.category},
                   {"source", memory.metadata.source},
                   {"quality_score", memory.metadata.quality_score},
                   {"extra", Json::parse(memory.metadata.extra)}}}};
  if (memory.expires_at) answer["expires_at"] = *memory.expires_at;
  return answer;
}

constexpr int64_t kMaxSecondsToLive = int64_t{1000} * 365 * 86400;

/// The store that a command works on; commands of this group fill and read it.
struct MemoryCommand {
  std::string directory;
  std::string collection = kDefaultCollection;
  std::vector<std::string> memory_ids;
  TextListArgument texts;
  TextArgument query;
  MemoryMetadata metadata;
  ListRequest listing;
  SearchRequest search;
  bool by_text_only = false;
  int64_t seconds_to_live = 0;

  [[nodiscard]] ArrowStorage open(bool read_only) const {
    StorageConfig config;
    config.read_only = read_only;
    return ArrowStorage(directory, config);
  }

  void add(const Session& session) const {
    std::vector<std::string> inputs = texts.read();
    std::erase_if(inputs, [](const std::string& text) { return text.empty(); });
    if (inputs.empty()) throw ConfigError("there is no text to remember: all are empty");
    CommandEncoder encoder(session);
    const std::vector<float> vectors = encoder.embed(inputs);
    const std::size_t dimension = vectors.size() / inputs.size();
    ArrowStorage storage = open(false);
    storage.create_collection(
        {collection, static_cast<int32_t>(dimension), Metric::kCosine, encoder.embedding_model()});
    const int64_t now = std::chrono::duration_cast<std::chrono::microseconds>(
                            std::chrono::system_clock::now().time_since_epoch())
                            .count();
    std::vector<Memory> memories(inputs.size());
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      memories[i].content = inputs[i];
      const auto vector = std::span(vectors).subspan(i * dimension, dimension);
      memories[i].embedding.assign(vector.begin(), vector.end());
      memories[i].metadata = metadata;
      if (seconds_to_live > 0) memories[i].expires_at = now + seconds_to_live * 1'000'000;
    }
    const AddResult result = storage.add(collection, memories);
    std::string lines;
    for (const std::string& id : result.memory_ids) lines += id + "\n";
    if (session.json) {
      lines = to_line({{"memory_ids", result.memory_ids}, {"num_added", result.num_added}});
    }
    write_output(lines);
  }

  void find(const Session& session) const {
    SearchRequest request = search;
    request.collection = collection;
    request.text = query.read();
    if (request.text.empty()) {
      throw ConfigError("QUERY is empty: say what to look for, or see all with aios memory list");
    }
    const ArrowStorage storage = open(true);
    if (!by_text_only) {
      CommandEncoder encoder(session);
      request.embedding_model = encoder.embedding_model();
      request.embedding = encoder.embed(std::span(&request.text, 1));
    }
    std::string lines;
    for (const SearchHit& hit : VectorSearch(storage).search(request)) {
      Json answer = {{"score", hit.score}};
      answer.update(to_json(hit.memory));
      char score[32];
      std::snprintf(score, sizeof(score), "%6.3f  ", static_cast<double>(hit.score));
      lines += session.json ? to_line(answer) : score + hit.memory.content + "\n";
    }
    write_output(lines);
  }

  void get() const {
    const ArrowStorage storage = open(true);
    std::string lines;
    for (const std::string& id : memory_ids) {
      const std::optional<Memory> memory = storage.get(collection, id);
      if (!memory) {
        throw StorageError("there is no memory '" + id + "' in '" + collection + "'");
      }
      lines += to_line(to_json(*memory));
    }
    write_output(lines);
  }

  void list(const Session& session) const {
    ListRequest request = listing;
    request.collection = collection;
    std::string lines;
    for (const Memory& memory : open(true).list(request)) {
      lines +=
          session.json ? to_line(to_json(memory)) : memory.memory_id + "  " + memory.content + "\n";
    }
    write_output(lines);
  }

  void stats() const {
    const StorageStats found = open(true).stats();
    Json answer = {{"catalog_bytes", found.catalog_bytes},
                   {"segment_bytes", found.segment_bytes},
                   {"graph_bytes", found.graph_bytes},
                   {"collections", Json::array()}};
    for (const CollectionStats& each : found.collections) {
      answer["collections"].push_back({{"name", each.info.name},
                                       {"dimension", each.info.dimension},
                                       {"metric", metric_name(each.info.metric)},
                                       {"embedding_model", each.info.embedding_model},
                                       {"num_memories", each.num_memories},
                                       {"num_hot", each.num_hot},
                                       {"num_segments", each.num_segments},
                                       {"num_dead", each.num_dead},
                                       {"num_graph_rows", each.num_graph_rows}});
    }
    write_output(to_line(answer));
  }

  void reembed(const Session& session) const {
    CommandEncoder encoder(session);
    const ReembedResult result = open(false).reembed(collection, encoder);
    write_output(session.json ? to_line({{"num_embedded", result.num_embedded},
                                         {"num_resumed", result.num_resumed}})
                              : std::to_string(result.num_embedded + result.num_resumed) + "\n");
  }

  void verify() const {
    const VerifyMemoryReport report = open(true).verify();
    write_output(to_line({{"num_memories", report.num_memories},
                          {"num_segments", report.num_segments},
                          {"num_bytes", report.num_bytes}}));
  }

  void repair() const {
    const RepairMemoryReport report = ArrowStorage::repair(directory);
    write_output(to_line({{"num_memories", report.num_memories},
                          {"num_restored", report.num_restored},
                          {"num_lost", report.num_lost},
                          {"findings", report.findings},
                          {"set_aside", report.set_aside}}));
  }
};

using State = std::shared_ptr<MemoryCommand>;

CLI::App& add_member(CLI::App& group, Session& session, const State& state, const std::string& name,
                     const std::string& description, CommonFlags common,
                     std::function<void()> run) {
  CLI::App& command = add_command(group, session, name, description, common, std::move(run));
  command.add_option("DIR", state->directory, "the store's folder")->type_name("")->required();
  command.add_option("--collection", state->collection, "name of the collection (default default)")
      ->type_name("NAME");
  return command;
}

void add_reading(CLI::App& group, Session& session, const State& state) {
  CLI::App& search = add_member(group, session, state, "search", "the memories nearest to a text",
                                CommonFlags::kModel, [state, &session] { state->find(session); });
  state->query.add_to(search, "QUERY", "what to look for");
  search.add_option("--top-k", state->search.top_k, "results (default 10)")->type_name("N");
  search.add_option("--filter", state->search.filter, "e.g. 'category = \"notes\"'")
      ->type_name("EXPRESSION");
  search
      .add_option_function<std::string>(
          "--index",
          [state](const std::string& name) { state->search.index = index_from_name(name); },
          "auto: by the graphs of large stores; exact: every vector (default auto)")
      ->type_name("KIND");
  search.add_option("--ef-search", state->search.ef_search, "width of a graph's search")
      ->type_name("N");
  search.add_flag("--text-only", state->by_text_only, "by words alone (BM25), without a model");
  CLI::App& get = add_member(group, session, state, "get", "memories by their ids",
                             CommonFlags::kNone, [state] { state->get(); });
  get.add_option("ID", state->memory_ids, "ids")->type_name("")->required();
  CLI::App& list = add_member(group, session, state, "list", "memories in order of arrival",
                              CommonFlags::kNone, [state, &session] { state->list(session); });
  list.add_option("--filter", state->listing.filter, "e.g. 'source = \"mail\"'")
      ->type_name("EXPRESSION");
  list.add_option("--limit", state->listing.limit, "memories (default 100)")->type_name("N");
  list.add_option("--offset", state->listing.offset, "memories left out first")->type_name("N");
  list.add_flag("--newest-first", state->listing.newest_first, "by time, the newest first");
  add_member(group, session, state, "stats", "sizes and counts of all collections",
             CommonFlags::kNone, [state] { state->stats(); });
  add_member(group, session, state, "verify", "read every byte of the store", CommonFlags::kNone,
             [state] { state->verify(); });
  add_member(group, session, state, "repair", "mend what verify finds; keep what can be read",
             CommonFlags::kNone, [state] { state->repair(); });
}

void add_writing(CLI::App& group, Session& session, const State& state) {
  CLI::App& add = add_member(group, session, state, "add", "remember texts; prints their ids",
                             CommonFlags::kModel, [state, &session] { state->add(session); });
  state->texts.add_to(add);
  add.add_option("--category", state->metadata.category, "of all of them")->type_name("NAME");
  add.add_option("--source", state->metadata.source, "of all of them")->type_name("NAME");
  add.add_option("--expires-in", state->seconds_to_live,
                 "seconds that they are kept (default: for good)")
      ->type_name("N")
      ->check(CLI::Range(int64_t{1}, kMaxSecondsToLive));
  const auto counted = [&](const std::string& name, const std::string& description,
                           std::function<int64_t(ArrowStorage&)> work) -> CLI::App& {
    return add_member(group, session, state, name, description, CommonFlags::kNone,
                      [state, work = std::move(work)] {
                        ArrowStorage storage = state->open(false);
                        write_output(std::to_string(work(storage)) + "\n");
                      });
  };
  CLI::App& remove =
      counted("remove", "remove memories; prints how many", [state](ArrowStorage& storage) {
        return storage.remove(state->collection, state->memory_ids);
      });
  remove.add_option("ID", state->memory_ids, "ids")->type_name("")->required();
  CLI::App& forget =
      counted("forget", "remove memories and every trace of them", [state](ArrowStorage& storage) {
        return storage.forget(state->collection, state->memory_ids);
      });
  forget.add_option("ID", state->memory_ids, "ids")->type_name("")->required();
  counted("expire", "remove what has expired; prints how many",
          [](ArrowStorage& storage) { return storage.expire(); });
  add_member(group, session, state, "reembed",
             "new vectors for all memories, by --model; goes on where a killed one stopped",
             CommonFlags::kModel, [state, &session] { state->reembed(session); });
  add_member(group, session, state, "compact", "join segments, drop what was removed",
             CommonFlags::kNone, [state] { state->open(false).compact(); });
  add_member(group, session, state, "checkpoint", "write all memories into the Parquet segments",
             CommonFlags::kNone, [state] { state->open(false).checkpoint(); });
}

}  // namespace

void add_memory_commands(CLI::App& app, Session& session) {
  CLI::App& group = *app.add_subcommand("memory", "a durable memory of texts, and search in it");
  group.require_subcommand(1);
  const auto state = std::make_shared<MemoryCommand>();
  add_reading(group, session, state);
  add_writing(group, session, state);
  add_memory_transfer_commands(group, session);
}

}  // namespace aios
