/// What a person types, or a script holds, message by message.
#pragma once

#include <optional>
#include <string>

namespace aios {

/// Reads standard input. A line is a message; one that ends with a backslash goes on in the next.
/// On a terminal a prompt stands before each line.
class LineReader {
 public:
  LineReader();

  /// The next message without its last line feed; nothing at the end of the input (Ctrl-D). Ctrl-C
  /// drops what was typed and begins anew.
  /// @throws TokenizerError on bad UTF-8, InferenceError on a message over 1 MiB, IoError;
  ///         CancelledError when the program is told to end
  [[nodiscard]] std::optional<std::string> read();
  [[nodiscard]] bool is_terminal() const noexcept { return is_terminal_; }

 private:
  enum class Outcome { kLine, kEnd, kInterrupted };
  Outcome read_line(const char* prompt, std::string& line);
  void show(const char* text) const;

  bool is_terminal_;
  std::string buffer_;  // read, not yet given
};

}  // namespace aios
