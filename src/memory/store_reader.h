/// Reads a store in consistent snapshots, from any process. Thread-safe: reads take turns.
#pragma once

#include <mutex>

#include "aios/error.h"
#include "memory/filter.h"
#include "memory/live_rows.h"

namespace aios {

/// What is read of a memory beside its metadata.
struct MemoryParts {
  bool content = true;
  bool embedding = true;
};

class StoreReader {
 public:
  /// Borrows `segments`. @throws StorageError if there is no store; IoError
  StoreReader(const std::string& directory, SegmentFiles& segments);

  /// Runs `body` in a transaction: all that it reads is of one moment. Again if a segment that it
  /// saw was replaced before it was opened.
  template <typename Body>
  auto read(Body body) const {
    constexpr int kMaxTries = 100;
    const std::lock_guard lock(mutex_);
    for (int i = 1;; ++i) {
      const int64_t before = generation();
      try {
        const Transaction transaction(database_, Transaction::Kind::kRead);
        if (before != seen_generation_) let_go_of_replaced_segments(before);
        return body();
      } catch (const IoError&) {
        if (i == kMaxTries || generation() == before) throw;
      }
    }
  }

  // All of these within `read`.
  [[nodiscard]] Database& database() const noexcept { return database_; }
  [[nodiscard]] SegmentFiles& segments() const noexcept { return segments_; }
  /// The vectors of a collection, as the transaction sees them.
  [[nodiscard]] LiveRows& live_rows(const Collection& collection) const;
  /// Sequences of the memories that pass, ascending; expired ones never do.
  [[nodiscard]] std::vector<int64_t> select(const Collection& collection,
                                            const SqlCondition& filter, int64_t now) const;
  /// A memory that is there: its metadata, and what `parts` names.
  /// @throws FormatError, StorageError
  [[nodiscard]] Memory load(const Collection& collection, int64_t sequence,
                            const MemoryParts& parts = {}) const;

 private:
  [[nodiscard]] int64_t generation() const;
  /// A removed file takes space, and keeps what was forgotten, as long as somebody has it mapped.
  void let_go_of_replaced_segments(int64_t generation) const;
  mutable std::mutex mutex_;
  mutable Database database_;
  SegmentFiles& segments_;
  mutable std::map<int64_t, LiveRows> live_rows_;
  mutable int64_t seen_generation_ = -1;
};

}  // namespace aios
