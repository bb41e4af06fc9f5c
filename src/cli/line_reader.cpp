#include "cli/line_reader.h"

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "aios/error.h"
#include "cli/interrupt.h"
#include "cli/output.h"
#include "cli/text_input.h"

namespace aios {
namespace {

constexpr std::size_t kMaxMessageBytes = std::size_t{1} << 20U;
constexpr int kPatienceMs = 100;  // a signal may have gone to another thread than the reading one

}  // namespace

LineReader::LineReader() : is_terminal_(::isatty(STDIN_FILENO) == 1) {}

void LineReader::show(const char* text) const {
  if (is_terminal_) write_terminal(text);
}

LineReader::Outcome LineReader::read_line(const char* prompt, std::string& line) {
  const Cancellable cancellable;  // before a person sees that it is their turn
  show(prompt);
  while (true) {
    if (const std::size_t end = buffer_.find('\n'); end != std::string::npos) {
      line += buffer_.substr(0, end);
      buffer_.erase(0, end + 1);
      return Outcome::kLine;
    }
    if (line.size() + buffer_.size() > kMaxMessageBytes) {
      buffer_.clear();
      throw InferenceError("a message of over 1 MiB: send it in parts");
    }
    if (cancellable.token().cancelled()) {
      if (told_to_end()) throw CancelledError("the chat was told to end");
      return Outcome::kInterrupted;
    }
    pollfd input{STDIN_FILENO, POLLIN, 0};
    if (::poll(&input, 1, kPatienceMs) <= 0) continue;
    char bytes[4096];
    const ssize_t count = ::read(STDIN_FILENO, bytes, sizeof(bytes));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) {
      throw IoError(std::string("cannot read standard input: ") + std::strerror(errno));
    }
    if (count == 0) {
      line += buffer_;
      buffer_.clear();
      return line.empty() ? Outcome::kEnd : Outcome::kLine;
    }
    buffer_.append(bytes, static_cast<std::size_t>(count));
  }
}

std::optional<std::string> LineReader::read() {
  std::string message;
  const char* prompt = "> ";
  while (true) {
    std::string line;
    const Outcome outcome = read_line(prompt, line);
    if (outcome == Outcome::kInterrupted) {
      if (!is_terminal_) throw CancelledError("the chat was interrupted");
      buffer_.clear();
      message.clear();
      prompt = "\n(Ctrl-D ends the chat)\n> ";
      continue;
    }
    if (outcome == Outcome::kEnd && message.empty()) {
      show("\n");
      return std::nullopt;
    }
    if (line.ends_with('\r')) line.pop_back();
    const bool goes_on = outcome == Outcome::kLine && line.ends_with('\\');
    if (goes_on) line.back() = '\n';
    message += line;
    if (!goes_on) break;
    prompt = ". ";
  }
  check_utf8(message, is_terminal_ ? "the message" : "standard input");
  return message;
}

}  // namespace aios
