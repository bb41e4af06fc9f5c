#include "cli/model_choice.h"

#include <cstdlib>
#include <filesystem>
#include <system_error>

#include "aios/error.h"

namespace aios {

std::string choose_model(const std::string& model, const std::string& name) {
  namespace fs = std::filesystem;
  if (!model.empty()) return model;
  if (const char* named = std::getenv("AIOS_MODEL"); named != nullptr && *named != '\0') {
    return named;
  }
  std::error_code ignored;
  const fs::path program = fs::read_symlink("/proc/self/exe", ignored);
  // .../bin/aios of an installation, .../build/<preset>/bin/aios of a source tree
  const fs::path installed = program.parent_path().parent_path() / "share/aios/models";
  const fs::path source =
      program.parent_path().parent_path().parent_path().parent_path() / "models";
  for (const fs::path& models : {installed, source}) {
    if (fs::exists(models / name / "config.json", ignored)) return models / name;
  }
  std::string cure = "give --model DIR or set AIOS_MODEL";
  if (name == kDefaultEncoder) cure += ", or get the default encoder with `make demo`";
  throw ConfigError("no model: " + name + " is not under '" + source.string() + "' nor '" +
                    installed.string() + "'; " + cure);
}

}  // namespace aios
