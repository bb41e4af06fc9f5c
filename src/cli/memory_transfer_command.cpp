#include "cli/memory_transfer_command.h"

#include <fstream>
#include <iostream>
#include <memory>

#include "aios/error.h"
#include "aios/memory.h"
#include "cli/answers.h"
#include "cli/command.h"
#include "cli/command_encoder.h"
#include "cli/output.h"

namespace aios {
namespace {

/// By its name, or by the ending of a file's.
MemoryFormat choose_format(const std::string& name, const std::string& path) {
  const auto is = [&](const char* format) {
    return name.empty() ? path.ends_with(std::string(".") + format) : name == format;
  };
  if (is("parquet")) return MemoryFormat::kParquet;
  if (is("jsonl") || (name.empty() && path == "-")) return MemoryFormat::kJsonLines;
  if (!name.empty()) throw ConfigError("--format must be parquet or jsonl, not '" + name + "'");
  throw ConfigError("'" + path + "' ends neither in .parquet nor in .jsonl: say --format");
}

/// Memories on their way between a store and a file.
struct TransferCommand {
  std::string directory;
  std::string collection = kDefaultCollection;
  std::string path;
  std::string format;
  std::string filter;
  bool replaces = false;

  [[nodiscard]] ArrowStorage open(bool read_only) const {
    StorageConfig config;
    config.read_only = read_only;
    return ArrowStorage(directory, config);
  }

  void save() const {
    if (path == "-") {
      throw ConfigError(
          "export writes a file: give its name, or print memories with aios memory "
          "list --json");
    }
    const ExportRequest request{collection, filter, choose_format(format, path)};
    write_output(std::to_string(open(true).export_to(path, request)) + "\n");
  }

  void load(const Session& session) const {
    const MemoryFormat kind = choose_format(format, path);
    CommandEncoder encoder(session);
    ImportRequest request{collection, replaces, nullptr};
    ImportResult result;
    ArrowStorage storage = open(false);
    if (kind == MemoryFormat::kParquet) {
      result = storage.import_parquet(path, request);
    } else {
      request.embeddings = &encoder;
      result = load_lines(storage, request);
    }
    if (session.json) {
      write_output(to_line({{"num_read", result.num_read}, {"num_added", result.num_added}}));
    } else {
      write_output(std::to_string(result.num_added) + "\n");
    }
  }

  ImportResult load_lines(ArrowStorage& storage, const ImportRequest& request) const {
    if (path == "-") return storage.import_lines(std::cin, "standard input", request);
    std::ifstream file(path, std::ios::binary);
    if (!file) throw IoError("cannot read '" + path + "'");
    return storage.import_lines(file, path, request);
  }
};

CLI::App& add_member(CLI::App& group, Session& session,
                     const std::shared_ptr<TransferCommand>& state, const std::string& name,
                     const std::string& description, const char* target, CommonFlags common,
                     std::function<void()> run) {
  CLI::App& command = add_command(group, session, name, description, common, std::move(run));
  command.add_option("DIR", state->directory, "the store's folder")->type_name("")->required();
  command.add_option(target, state->path, "where to, or from")->type_name("")->required();
  return command;
}

void add_file_flags(CLI::App& command, TransferCommand& state) {
  command.add_option("--collection", state.collection, "name of the collection (default default)")
      ->type_name("NAME");
  command.add_option("--format", state.format, "parquet|jsonl (default: by the file's ending)")
      ->type_name("NAME");
}

}  // namespace

void add_memory_transfer_commands(CLI::App& group, Session& session) {
  const auto state = std::make_shared<TransferCommand>();
  CLI::App& save =
      add_member(group, session, state, "export", "write memories to a file; prints how many",
                 "FILE", CommonFlags::kNone, [state] { state->save(); });
  add_file_flags(save, *state);
  save.add_option("--filter", state->filter, "e.g. 'category = \"notes\"'")
      ->type_name("EXPRESSION");
  CLI::App& load =
      add_member(group, session, state, "import",
                 "add memories from a file, or JSON lines from -; prints how many were new", "FILE",
                 CommonFlags::kModel, [state, &session] { state->load(session); });
  add_file_flags(load, *state);
  load.add_flag("--upsert", state->replaces, "replace memories of the same id");
  add_member(group, session, state, "backup", "copy a store, also while it is written", "TO",
             CommonFlags::kNone, [state] { state->open(true).backup(state->path); });
}

}  // namespace aios
