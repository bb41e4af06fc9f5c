#include "cli/memory_flags.h"

#include "aios/error.h"

namespace aios {

void MemoryFlags::add_to(CLI::App& command) {
  directory_option_ =
      command
          .add_option("--memory", directory_, "a memory's folder: write with what it holds in view")
          ->type_name("DIR");
  const auto add = [&](const char* flag, auto& value, const char* description, const char* type) {
    command.add_option(flag, value, description)->type_name(type)->needs(directory_option_);
  };
  add("--memory-top-k", guidance_.top_k, "memories at most (default 4)", "N");
  add("--memory-filter", guidance_.filter, "e.g. 'category = \"notes\"'", "EXPRESSION");
  add("--memory-collection", guidance_.collection, "name (default default)", "NAME");
  add("--memory-max-tokens", guidance_.max_tokens, "tokens that memories may take (default 128)",
      "N");
  add("--memory-encoder", encoder_,
      "model directory of the memory's encoder (default all-MiniLM-L6-v2)", "DIR");
}

void MemoryFlags::add_refresh_to(CLI::App& command) {
  command
      .add_option("--memory-refresh", refresh_steps_,
                  "search anew every N steps, by what is revealed by then (default 0: never)")
      ->type_name("N")
      ->check(CLI::NonNegativeNumber)
      ->needs(directory_option_);
}

void MemoryFlags::refuse_refresh_in(CLI::App& command) {
  const auto refuse = [](const std::string&) {
    throw ConfigError(
        "--memory-refresh is for diffuse and infill: what is written from left to right rests on "
        "all that stands before it, so memories are sought once, before it begins");
  };
  command.add_option_function<std::string>("--memory-refresh", refuse)->group("");  // not in --help
}

std::unique_ptr<CommandMemory> MemoryFlags::open(const Session& session,
                                                 const ArrowEngine& engine) const {
  if (directory_.empty()) return nullptr;
  return std::make_unique<CommandMemory>(session, engine, directory_, encoder_, guidance_);
}

std::unique_ptr<CommandMemory> MemoryFlags::open_or_create(const Session& session,
                                                           const ArrowEngine& engine) const {
  if (directory_.empty()) return nullptr;
  CommandMemory::create(session, directory_, encoder_, guidance_.collection);
  return open(session, engine);
}

}  // namespace aios
