/// Ctrl-C: the first asks the running call to stop, the next ends the program at once. Either way
/// the status is 130 and the terminal is left as it was found.
#pragma once

#include "aios/config.h"

namespace aios {

/// Whether SIGTERM has come: then a command ends, even one that lives on after Ctrl-C.
[[nodiscard]] bool told_to_end() noexcept;

/// Installs the handler of SIGINT and SIGTERM. Outside of a `Cancellable` they end the program.
void handle_interrupts();

/// While it lives, Ctrl-C triggers `token()`.
class Cancellable {
 public:
  Cancellable();
  Cancellable(const Cancellable&) = delete;
  Cancellable& operator=(const Cancellable&) = delete;
  ~Cancellable();
  [[nodiscard]] const CancellationToken& token() const noexcept { return token_; }

 private:
  CancellationToken token_;
};

/// While it lives, Ctrl-C outside of a `Cancellable` does nothing: for what lives on after it.
class InterruptsPass {
 public:
  InterruptsPass();
  InterruptsPass(const InterruptsPass&) = delete;
  InterruptsPass& operator=(const InterruptsPass&) = delete;
  ~InterruptsPass();
};

/// While it lives the cursor is hidden; an interrupt shows it again.
class HiddenCursor {
 public:
  HiddenCursor();
  HiddenCursor(const HiddenCursor&) = delete;
  HiddenCursor& operator=(const HiddenCursor&) = delete;
  ~HiddenCursor();
};

}  // namespace aios
