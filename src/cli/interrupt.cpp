#include "cli/interrupt.h"

#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <string_view>

#include "cli/application.h"
#include "cli/output.h"

namespace aios {
namespace {

constexpr std::string_view kHideCursor = "\x1b[?25l";
constexpr std::string_view kShowCursor = "\x1b[?25h";

// A signal handler has no other way to what it must act on.
std::atomic<const CancellationToken*> running_call{nullptr};
std::atomic<bool> cursor_hidden{false};
std::atomic<bool> terminated{false};
std::atomic<bool> interrupts_pass{false};
static_assert(std::atomic<const CancellationToken*>::is_always_lock_free);

/// Calls only what is async-signal-safe.
void on_interrupt(int signal) {
  if (signal == SIGTERM) terminated = true;
  const CancellationToken* token = running_call.exchange(nullptr);
  if (token != nullptr) {
    token->cancel();
    return;
  }
  if (signal == SIGINT && interrupts_pass) return;
  if (cursor_hidden) write_terminal(kShowCursor);
  write_terminal("error: interrupted\n");
  ::_exit(kInterrupted);
}

}  // namespace

bool told_to_end() noexcept { return terminated; }

void handle_interrupts() {
  struct sigaction action {};
  action.sa_handler = on_interrupt;
  ::sigemptyset(&action.sa_mask);
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
}

Cancellable::Cancellable() { running_call = &token_; }
Cancellable::~Cancellable() { running_call = nullptr; }

InterruptsPass::InterruptsPass() { interrupts_pass = true; }
InterruptsPass::~InterruptsPass() { interrupts_pass = false; }

HiddenCursor::HiddenCursor() {
  cursor_hidden = true;
  write_terminal(kHideCursor);
}
HiddenCursor::~HiddenCursor() {
  write_terminal(kShowCursor);
  cursor_hidden = false;
}

}  // namespace aios
