#include "cli/application.h"

#include <csignal>
#include <exception>
#include <iostream>
#include <map>
#include <new>
#include <string>
#include <vector>

#include "aios/engine.h"
#include "aios/error.h"
#include "base/log.h"
#include "base/suggestion.h"
#include "cli/command.h"
#include "cli/interrupt.h"
#include "cli/output.h"

namespace aios {
namespace {

void add_commands(CLI::App& app, Session& session) {
  add_encode_command(app, session);
  add_generate_command(app, session);
  add_diffuse_command(app, session);
  add_infill_command(app, session);
  add_score_command(app, session);
  add_logits_command(app, session);
  add_tokenize_command(app, session);
  add_detokenize_command(app, session);
  add_tokenizer_commands(app, session);
  add_convert_command(app, session);
  add_export_command(app, session);
  add_inspect_command(app, session);
  add_verify_command(app, session);
  add_probe_command(app, session);
  add_memory_commands(app, session);
  add_chat_command(app, session);
  add_devices_command(app, session);
}

/// The command that the user named, or the program itself.
const CLI::App& chosen_command(const CLI::App& app) {
  const CLI::App* command = &app;
  for (auto chosen = app.get_subcommands(); !chosen.empty(); chosen = command->get_subcommands()) {
    command = chosen.front();
  }
  return *command;
}

std::vector<std::string> command_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    names.push_back(command->get_name());
  }
  return names;
}

/// What is wrong with the command line, in our words: which word, and what it may have meant.
std::string explain(const CLI::ParseError& error, const CLI::App& app) {
  const CLI::App& command = chosen_command(app);
  const std::vector<std::string> unknown = command.remaining();
  if (!unknown.empty()) {
    const std::string word = unknown.front().substr(0, unknown.front().find('='));
    if (word.starts_with("-")) {
      return unknown_flag(command, word);
    }
    if (!command_names(command).empty()) {
      return "unknown command '" + word + "'" + suggestion(word, command_names(command)) +
             " (see " + help_hint(command) + ")";
    }
    return "unexpected argument '" + word + "' (see " + help_hint(command) + ")";
  }
  return std::string(error.what()) + " (see " + help_hint(command) + ")";
}

LogLevel log_level_named(const std::string& name) {
  static const std::map<std::string, LogLevel> levels = {{"off", LogLevel::kOff},
                                                         {"error", LogLevel::kError},
                                                         {"warning", LogLevel::kWarning},
                                                         {"info", LogLevel::kInfo},
                                                         {"debug", LogLevel::kDebug}};
  const auto level = levels.find(name);
  if (level != levels.end()) return level->second;
  throw ConfigError("--log-level must be one of off|error|warning|info|debug, not '" + name + "'");
}

int fail(ExitStatus status, const std::string& message) {
  std::cerr << "error: " << message << std::endl;
  return status;
}

int run(int argc, char** argv) {
  Session session;
  CLI::App app(
      "AI-OS Diffusion: one model in memory that encodes, generates, diffuses and infills.",
      "aios");
  app.set_version_flag("--version", "aios " + std::string(version()));
  app.require_subcommand(1);
  add_commands(app, session);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& wish) {  // --help and --version
    const bool help = wish.get_name() == "CallForHelp" || wish.get_name() == "CallForAllHelp";
    write_output(help ? app.help() : std::string(wish.what()) + "\n");
    return kSuccess;
  } catch (const CLI::ParseError& error) {
    return fail(kUsage, explain(error, app));
  }
  set_log_level(log_level_named(session.log_level));
  session.command();
  return kSuccess;
}

}  // namespace

int run_application(int argc, char** argv) noexcept {
  try {
    std::signal(SIGPIPE, SIG_IGN);  // a closed pipe and a file beyond the limit of its size
    std::signal(SIGXFSZ, SIG_IGN);  // are write errors, met where they are written
    handle_interrupts();
    return run(argc, argv);
  } catch (const BrokenPipe&) {
    return kFailure;  // nobody reads any more, as of `aios ... | head`: no reason to complain
  } catch (const CancelledError&) {
    return fail(kInterrupted, "interrupted");
  } catch (const ConfigError& error) {
    return fail(kUsage, error.what());
  } catch (const std::bad_alloc&) {
    return fail(kFailure, "out of memory: use a smaller model, window, canvas or batch");
  } catch (const std::exception& error) {
    return fail(kFailure, error.what());
  }
}

}  // namespace aios
