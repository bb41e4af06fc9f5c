#include "cli/memory_flags.h"

#include "aios/error.h"
#include "cli/command_encoder.h"

namespace aios {

void MemoryFlags::add_to(CLI::App& command) {
  command.add_option("--memory", directory_, "a memory's folder: write with what it holds in view")
      ->type_name("DIR");
  command.add_option("--memory-top-k", guidance_.top_k, "memories at most (default 4)")
      ->type_name("N");
  command.add_option("--memory-filter", guidance_.filter, "e.g. 'category = \"notes\"'")
      ->type_name("EXPRESSION");
  command.add_option("--memory-collection", guidance_.collection, "name (default default)")
      ->type_name("NAME");
  command
      .add_option("--memory-max-tokens", guidance_.max_tokens,
                  "tokens that memories may take (default 128)")
      ->type_name("N");
  command
      .add_option("--memory-encoder", encoder_,
                  "model directory of the memory's encoder (default all-MiniLM-L6-v2)")
      ->type_name("DIR");
}

Recollections MemoryFlags::recall(const Session& session, const ArrowEngine& engine,
                                  const std::string& query) const {
  if (directory_.empty()) return {};
  StorageConfig config;
  config.read_only = true;
  const ArrowStorage storage(directory_, config);
  const VectorSearch search(storage, session.options().engine.num_threads);
  CommandEncoder encoder(session, encoder_);
  MemoryGuidance guidance = guidance_;
  guidance.search = &search;
  guidance.embeddings = &encoder;
  return recall_memories(guidance, query, engine.tokenizer());
}

void MemoryFlags::add_to_answer(Json& answer, const Recollections& recollections) const {
  if (directory_.empty()) return;
  answer["recollections"] = recollections.text;
  Json& memories = answer["memories"] = Json::array();
  for (const SearchHit& hit : recollections.memories) {
    memories.push_back({{"memory_id", hit.memory.memory_id},
                        {"score", hit.score},
                        {"content", hit.memory.content}});
  }
}

}  // namespace aios
