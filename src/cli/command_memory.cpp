#include "cli/command_memory.h"

#include <algorithm>
#include <utility>

namespace aios {
namespace {

StorageConfig for_reading() {
  StorageConfig config;
  config.read_only = true;
  return config;
}

/// A filter that also leaves memories out. Quotes are doubled within a string.
MemoryFilter without(const MemoryFilter& filter, std::span<const std::string> memory_ids) {
  if (memory_ids.empty()) return filter;
  std::string names;
  for (const std::string& id : memory_ids) {
    names += names.empty() ? "'" : ", '";
    for (const char letter : id)
      names += letter == '\'' ? std::string("''") : std::string(1, letter);
    names += "'";
  }
  const std::string others = "not memory_id in (" + names + ")";
  return filter.empty() ? others : "(" + filter + ") and " + others;
}

}  // namespace

CommandMemory::CommandMemory(const Session& session, const ArrowEngine& engine,
                             std::string directory, const std::string& encoder,
                             MemoryGuidance guidance)
    : engine_(engine),
      directory_(std::move(directory)),
      encoder_(session, encoder),
      storage_(directory_, for_reading()),
      search_(storage_, session.options().engine.num_threads),
      guidance_(std::move(guidance)) {
  guidance_.search = &search_;
  guidance_.embeddings = &encoder_;
}

void CommandMemory::create(const Session& session, const std::string& directory,
                           const std::string& encoder, const std::string& collection) {
  CommandEncoder embeddings(session, encoder);
  const std::string any = "a";
  const auto dimension = static_cast<int32_t>(embeddings.embed(std::span(&any, 1)).size());
  ArrowStorage(directory).create_collection(
      {collection, dimension, Metric::kCosine, embeddings.embedding_model()});
}

std::string CommandMemory::use(const MemoryGuidance& guidance, const std::string& query) {
  Recollections found = recall_memories(guidance, query, engine_.tokenizer());
  for (SearchHit& hit : found.memories) {
    const auto same = [&](const SearchHit& used) {
      return used.memory.memory_id == hit.memory.memory_id;
    };
    if (std::none_of(used_.begin(), used_.end(), same)) used_.push_back(std::move(hit));
  }
  return found.text;
}

std::string CommandMemory::recall(const std::string& query) {
  return recall(query, guidance_.max_tokens, {});
}

std::string CommandMemory::recall(const std::string& query, int32_t max_tokens,
                                  std::span<const std::string> but_ids) {
  used_.clear();
  first_notes_.clear();
  MemoryGuidance guidance = guidance_;
  if (max_tokens < guidance.max_tokens) guidance.max_tokens = std::max(max_tokens, 1);
  guidance.filter = without(guidance_.filter, but_ids);
  return first_notes_ = use(guidance, query);
}

std::string CommandMemory::recall_again(const std::string& query) { return use(guidance_, query); }

std::string CommandMemory::remember(const std::string& content, const std::string& category) {
  Memory memory;
  memory.content = content;
  memory.metadata.category = category;
  memory.embedding = encoder_.embed(std::span(&content, 1));
  ArrowStorage storage(directory_);
  return storage.add(guidance_.collection, std::span(&memory, 1)).memory_ids.front();
}

void CommandMemory::add_to_answer(Json& answer) const {
  answer["recollections"] = first_notes_;
  Json& memories = answer["memories"] = Json::array();
  for (const SearchHit& hit : used_) {
    memories.push_back({{"memory_id", hit.memory.memory_id},
                        {"score", hit.score},
                        {"content", hit.memory.content}});
  }
}

}  // namespace aios
