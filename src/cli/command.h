/// What all commands share: the flags they have in common, and how they join the program.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>

#include "aios/config.h"
#include "cli/option_flags.h"

namespace aios {

/// State of one run of the program. Each command reads its flags from here.
struct Session {
  std::string model;   ///< --model, or empty
  std::string config;  ///< --config, or empty
  std::string log_level = "off";
  bool json = false;
  OptionFlags<EngineConfig> engine_flags;
  std::function<void()> command;  ///< what to do after parsing

  /// Options from --config, or the defaults, with the engine's flags on top.
  [[nodiscard]] Options options() const;
};

/// Which of the common flags a command has.
enum class CommonFlags { kNone, kModelDirectory, kModel };

/// Adds a command whose body is `run`.
CLI::App& add_command(CLI::App& app, Session& session, const std::string& name,
                      const std::string& description, CommonFlags common,
                      std::function<void()> run);

/// What to type for help, `aios encode --help`.
[[nodiscard]] std::string help_hint(const CLI::App& command);

/// Message for a flag that a command does not have, with a suggestion.
[[nodiscard]] std::string unknown_flag(const CLI::App& command, const std::string& flag);

void add_encode_command(CLI::App& app, Session& session);
void add_generate_command(CLI::App& app, Session& session);
void add_diffuse_command(CLI::App& app, Session& session);
void add_infill_command(CLI::App& app, Session& session);
void add_score_command(CLI::App& app, Session& session);
void add_logits_command(CLI::App& app, Session& session);
void add_tokenize_command(CLI::App& app, Session& session);
void add_detokenize_command(CLI::App& app, Session& session);
void add_tokenizer_commands(CLI::App& app, Session& session);
void add_convert_command(CLI::App& app, Session& session);
void add_export_command(CLI::App& app, Session& session);
void add_inspect_command(CLI::App& app, Session& session);
void add_verify_command(CLI::App& app, Session& session);
void add_probe_command(CLI::App& app, Session& session);
void add_devices_command(CLI::App& app, Session& session);
void add_chat_command(CLI::App& app, Session& session);
void add_memory_commands(CLI::App& app, Session& session);

}  // namespace aios
