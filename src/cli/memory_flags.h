/// `--memory` and its kin: writing with memories in view.
#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "aios/engine.h"
#include "cli/command.h"
#include "cli/command_memory.h"

namespace aios {

class MemoryFlags {
 public:
  void add_to(CLI::App& command);
  /// `--memory-refresh`, for what writes in steps.
  void add_refresh_to(CLI::App& command);
  /// Says of `--memory-refresh` why a command that writes from left to right has none, where
  /// otherwise it would be an unknown flag.
  static void refuse_refresh_in(CLI::App& command);
  /// The store of --memory, open; nothing without the flag. Borrows both.
  /// @throws as `CommandMemory`
  [[nodiscard]] std::unique_ptr<CommandMemory> open(const Session& session,
                                                    const ArrowEngine& engine) const;
  /// The same for a command that also remembers: the store is made if there is none.
  [[nodiscard]] std::unique_ptr<CommandMemory> open_or_create(const Session& session,
                                                              const ArrowEngine& engine) const;
  [[nodiscard]] int32_t refresh_steps() const noexcept { return refresh_steps_; }

 private:
  CLI::Option* directory_option_ = nullptr;
  std::string directory_;
  std::string encoder_;
  MemoryGuidance guidance_;
  int32_t refresh_steps_ = 0;
};

}  // namespace aios
