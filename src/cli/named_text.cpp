#include "cli/named_text.h"

#include "aios/error.h"
#include "base/text_file.h"

namespace aios {

std::string read_named_text(const char* flag, const std::string& path) {
  constexpr std::size_t kMaxBytes = std::size_t{1} << 28U;
  if (path.empty()) return {};
  std::string text = read_text_file(path, kMaxBytes);
  if (text.empty()) throw ConfigError(std::string(flag) + " '" + path + "' is empty");
  return text;
}

}  // namespace aios
