/// The store that a command writes with in view.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "aios/engine.h"
#include "aios/memory.h"
#include "cli/answers.h"
#include "cli/command.h"
#include "cli/command_encoder.h"

namespace aios {

/// Open for reading while it lives; for writing only within `remember`, so that others may write
/// in between.
class CommandMemory {
 public:
  /// Borrows session and engine.
  /// @param encoder model directory, or empty for the default
  /// @throws StorageError if the folder holds no store; IoError
  CommandMemory(const Session& session, const ArrowEngine& engine, std::string directory,
                const std::string& encoder, MemoryGuidance guidance);
  CommandMemory(const CommandMemory&) = delete;
  CommandMemory& operator=(const CommandMemory&) = delete;

  /// Makes sure that there is a collection for the encoder's vectors.
  /// @throws StorageError if it is there for others, or another process writes; IoError
  static void create(const Session& session, const std::string& directory,
                     const std::string& encoder, const std::string& collection);

  /// What the store holds on a text, fenced; empty if nothing.
  /// @throws as `recall_memories`
  std::string recall(const std::string& query);
  /// The same with at most `max_tokens`, and without some memories.
  std::string recall(const std::string& query, int32_t max_tokens,
                     std::span<const std::string> but_ids);
  /// The same again for the same answer.
  std::string recall_again(const std::string& query);
  /// @returns the id of the new memory
  std::string remember(const std::string& content, const std::string& category);

  /// The answer's `memories` (ids, scores and contents of all that were used) and `recollections`
  /// (what stood before the prompt at first, word for word).
  void add_to_answer(Json& answer) const;

 private:
  std::string use(const MemoryGuidance& guidance, const std::string& query);

  const ArrowEngine& engine_;
  std::string directory_;
  CommandEncoder encoder_;
  ArrowStorage storage_;
  VectorSearch search_;
  MemoryGuidance guidance_;
  std::string first_notes_;
  std::vector<SearchHit> used_;
};

}  // namespace aios
