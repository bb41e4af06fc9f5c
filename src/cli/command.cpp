#include "cli/command.h"

#include <utility>
#include <vector>

#include "base/suggestion.h"

namespace aios {

Options Session::options() const {
  Options options;
  if (!config.empty()) load_options(config, options);
  engine_flags.apply(options.engine);
  return options;
}

CLI::App& add_command(CLI::App& app, Session& session, const std::string& name,
                      const std::string& description, CommonFlags common,
                      std::function<void()> run) {
  CLI::App& command = *app.add_subcommand(name, description);
  command.callback([&session, run = std::move(run)] { session.command = run; });
  command.add_flag("--json", session.json, "answer in JSON");
  command.add_option("--log-level", session.log_level, "off|error|warning|info|debug")
      ->type_name("LEVEL");
  if (common == CommonFlags::kNone) return command;
  command
      .add_option("--model", session.model, "model directory (else $AIOS_MODEL, else a default)")
      ->type_name("DIR");
  if (common == CommonFlags::kModelDirectory) return command;
  command.add_option("--config", session.config, "options from a YAML file; flags override them")
      ->type_name("FILE");
  session.engine_flags.add_to(command);
  return command;
}

std::string help_hint(const CLI::App& command) {
  std::string words = "--help";
  for (const CLI::App* part = &command; part != nullptr; part = part->get_parent()) {
    words = part->get_name() + " " + words;
  }
  return words;
}

std::string unknown_flag(const CLI::App& command, const std::string& flag) {
  std::vector<std::string> names;
  for (const CLI::Option* option : command.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  }
  return "unknown flag '" + flag + "'" + suggestion(flag, names) + " (see " + help_hint(command) +
         ")";
}

}  // namespace aios
