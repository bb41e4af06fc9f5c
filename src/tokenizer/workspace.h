/// What one encode call works in, lent from call to call so that its memory and its word cache
/// last.
#pragma once

#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "tokenizer/model.h"
#include "tokenizer/regex.h"
#include "tokenizer/word_cache.h"
#include "tokenizer/working_text.h"

namespace aios::tokenizer {

struct Workspace {
  WorkingText text;
  RegexScratch regex;
  ModelScratch model;
  WordCache cache;
  std::vector<WordToken> tokens;

  /// Frees what a long text needed: it must not keep its memory for good.
  void drop_excess() noexcept;
};

/// As many workspaces as calls were ever under way at once. Thread-safe.
class WorkspacePool {
 public:
  /// Gives its workspace back when it goes.
  class Lease {
   public:
    Lease(WorkspacePool& pool, std::unique_ptr<Workspace> workspace)
        : pool_(pool), workspace_(std::move(workspace)) {}
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    ~Lease() { pool_.put(std::move(workspace_)); }
    Workspace* operator->() const noexcept { return workspace_.get(); }
    Workspace& operator*() const noexcept { return *workspace_; }

   private:
    WorkspacePool& pool_;
    std::unique_ptr<Workspace> workspace_;
  };

  [[nodiscard]] Lease lend() { return Lease(*this, take()); }

 private:
  std::unique_ptr<Workspace> take();
  void put(std::unique_ptr<Workspace> workspace) noexcept;

  std::mutex mutex_;
  std::vector<std::unique_ptr<Workspace>> idle_;
  std::size_t num_made_ = 0;
};

}  // namespace aios::tokenizer
