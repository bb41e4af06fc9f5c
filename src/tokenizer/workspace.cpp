#include "tokenizer/workspace.h"

namespace aios::tokenizer {
namespace {

constexpr std::size_t kMostKept = std::size_t{8} << 20U;  // bytes of each part

}  // namespace

void Workspace::drop_excess() noexcept {
  if (text.capacity() > kMostKept) text = {};
  if (model.capacity() > kMostKept) model = {};
  if (tokens.capacity() * sizeof(WordToken) > kMostKept) tokens = {};
}

std::unique_ptr<Workspace> WorkspacePool::take() {
  {
    const std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      std::unique_ptr<Workspace> workspace = std::move(idle_.back());
      idle_.pop_back();
      return workspace;
    }
    idle_.reserve(++num_made_);  // so that giving back cannot fail
  }
  return std::make_unique<Workspace>();
}

void WorkspacePool::put(std::unique_ptr<Workspace> workspace) noexcept {
  workspace->drop_excess();
  const std::lock_guard lock(mutex_);
  idle_.push_back(std::move(workspace));
}

}  // namespace aios::tokenizer
