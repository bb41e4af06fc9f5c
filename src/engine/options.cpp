#include <yaml-cpp/yaml.h>

#include <functional>
#include <map>
#include <string>

#include "aios/config.h"
#include "aios/error.h"
#include "base/suggestion.h"
#include "base/text_file.h"
#include "engine/option_table.h"

namespace aios {
namespace {

template <typename Config>
const OptionField<Config>& find_field(std::string_view name, std::string_view shown_as) {
  std::vector<std::string> names;
  for (const OptionField<Config>& field : option_table<Config>()) {
    if (field.info.name == name) return field;
    names.push_back(field.info.name);
  }
  throw ConfigError("unknown option '" + std::string(shown_as) + "'" + suggestion(name, names));
}

/// Reads one YAML file; its errors begin with file and line.
class OptionReader {
 public:
  OptionReader(std::string path, Options& options) : path_(std::move(path)), options_(options) {}

  void read() {
    constexpr std::size_t kMaxBytes = 1U << 20U;
    const std::string text = read_text_file(path_, kMaxBytes);
    try {
      read_sections(YAML::Load(text));
    } catch (const YAML::Exception& error) {
      throw ConfigError(at(error.mark) + "no valid YAML: " + error.msg);
    }
  }

 private:
  [[nodiscard]] std::string at(const YAML::Mark& mark) const {
    return path_ + ":" + (mark.is_null() ? "" : std::to_string(mark.line + 1) + ":") + " ";
  }

  void read_sections(const YAML::Node& root) {
    using Read = std::function<void(const std::string&, const YAML::Node&)>;
    const auto into = [this](auto& config) {
      return Read([this, &config](const std::string& name, const YAML::Node& section) {
        read_section(name, section, config);
      });
    };
    const std::map<std::string, Read> sections = {
        {"engine", into(options_.engine)},         {"encode", into(options_.encode)},
        {"generation", into(options_.generation)}, {"diffusion", into(options_.diffusion)},
        {"score", into(options_.score)},
    };
    if (root.IsNull()) return;  // an empty file sets nothing
    if (!root.IsMap()) throw ConfigError(path_ + ": must be a map of sections, e.g. diffusion:");
    for (const auto& entry : root) {
      const auto name = entry.first.as<std::string>();
      const auto section = sections.find(name);
      if (section == sections.end()) {
        std::vector<std::string> names;
        for (const auto& known : sections) names.push_back(known.first);
        throw ConfigError(at(entry.first.Mark()) + "unknown section '" + name + "'" +
                          suggestion(name, names));
      }
      section->second(name, entry.second);
    }
  }

  template <typename Config>
  void read_section(const std::string& name, const YAML::Node& section, Config& config) {
    if (section.IsNull()) return;
    if (!section.IsMap()) {
      throw ConfigError(at(section.Mark()) + "section '" + name + "' must be a map of options");
    }
    for (const auto& entry : section) {
      try {
        read_option(name, entry.first.as<std::string>(), entry.second, config);
      } catch (const ConfigError& error) {
        throw ConfigError(at(entry.first.Mark()) + error.what());
      }
    }
  }

  template <typename Config>
  static void read_option(const std::string& section, const std::string& name,
                          const YAML::Node& value, Config& config) {
    const std::string shown_as = section + "." + name;
    const OptionField<Config>& field = find_field<Config>(name, shown_as);
    if (value.IsSequence() && field.clear) {
      field.clear(config);
      for (const YAML::Node& item : value) field.set(config, item.as<std::string>(), shown_as);
    } else if (value.IsScalar()) {
      if (field.clear) field.clear(config);
      field.set(config, value.Scalar(), shown_as);
    } else {
      throw ConfigError(shown_as + " must have one value");
    }
  }

  std::string path_;
  Options& options_;
};

}  // namespace

template <typename Config>
std::vector<OptionInfo> list_options() {
  std::vector<OptionInfo> options;
  for (const OptionField<Config>& field : option_table<Config>()) options.push_back(field.info);
  return options;
}

template <typename Config>
void set_option(Config& config, std::string_view name, std::string_view text,
                std::string_view shown_as) {
  if (shown_as.empty()) shown_as = name;
  find_field<Config>(name, shown_as).set(config, text, shown_as);
}

template <typename Config>
void clear_list(Config& config, std::string_view name) {
  const OptionField<Config>& field = find_field<Config>(name, name);
  if (field.clear) field.clear(config);
}

template <typename Config>
void check_options(const Config& config) {
  for (const OptionField<Config>& field : option_table<Config>()) field.check(config);
}

void load_options(const std::string& path, Options& options) { OptionReader(path, options).read(); }

#define AIOS_INSTANTIATE(Config)                                                           \
  template std::vector<OptionInfo> list_options<Config>();                                 \
  template void set_option(Config&, std::string_view, std::string_view, std::string_view); \
  template void clear_list(Config&, std::string_view);                                     \
  template void check_options(const Config&);
AIOS_INSTANTIATE(EngineConfig)
AIOS_INSTANTIATE(EncodeConfig)
AIOS_INSTANTIATE(GenerationConfig)
AIOS_INSTANTIATE(DiffusionConfig)
AIOS_INSTANTIATE(ScoreConfig)
#undef AIOS_INSTANTIATE

}  // namespace aios
