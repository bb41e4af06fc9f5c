/// The text a command works on: its argument, or `--input FILE|-`.
#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace aios {

/// @throws TokenizerError with the offset of the first byte that is not UTF-8
void check_utf8(std::string_view text, const std::string& where);

/// One text: `NAME` or the whole of a file, less one final line feed.
class TextArgument {
 public:
  void add_to(CLI::App& command, const std::string& name, const std::string& description);
  /// @throws ConfigError unless exactly one of the two was given; IoError; TokenizerError
  [[nodiscard]] std::string read() const;

 private:
  std::string name_;
  std::optional<std::string> text_;
  std::string input_;
};

/// Several texts: `TEXT...` or one per line of a file.
class TextListArgument {
 public:
  /// All but the first are the words that CLI11 leaves over: as one option's values it would split
  /// "[a,b]".
  /// @param default_input what is read when nothing is given: a file, or - for standard input;
  ///     files may be without a text then. Empty: something must be given
  void add_to(CLI::App& command, std::string default_input = {});
  /// @throws as `TextArgument::read`; ConfigError for an unknown flag, or if what was given has no
  /// text at all
  [[nodiscard]] std::vector<std::string> read() const;

 private:
  const CLI::App* command_ = nullptr;
  std::optional<std::string> first_;
  std::string input_;
  std::string default_input_;
};

/// The whole of a file that a flag names; empty without a path.
/// @throws IoError, TokenizerError; ConfigError if the file is empty
[[nodiscard]] std::string read_named_text(const char* flag, const std::string& path);

/// The lines of a file or of standard input (`-`), without their line ends (LF or CRLF).
/// @throws IoError, TokenizerError
[[nodiscard]] std::vector<std::string> read_lines(const std::string& path);

}  // namespace aios
