#include <charconv>
#include <memory>

#include "aios/engine.h"
#include "aios/error.h"
#include "cli/command.h"
#include "cli/model_choice.h"
#include "cli/output.h"

namespace aios {
namespace {

std::vector<int32_t> parse_ids(std::string_view text) {
  std::vector<int32_t> ids;
  while (true) {
    const std::size_t end = std::min(text.find(','), text.size());
    int32_t id = 0;
    const auto [stop, error] = std::from_chars(text.data(), text.data() + end, id);
    if (error != std::errc{} || stop != text.data() + end) {
      throw ConfigError("--input-ids must be whole numbers with commas between, not '" +
                        std::string(text.substr(0, end)) + "'");
    }
    ids.push_back(id);
    if (end == text.size()) return ids;
    text.remove_prefix(end + 1);
  }
}

AttentionMode parse_attention(const std::string& name) {
  if (name.empty()) return AttentionMode::kModelDefault;
  if (name == "causal") return AttentionMode::kCausal;
  if (name == "full") return AttentionMode::kFull;
  throw ConfigError("--attention must be one of causal|full, not '" + name + "'");
}

struct LogitsCommand {
  std::string input_ids;
  std::string attention;
  std::string output;
  bool hidden = false;

  void run(const Session& session) const {
    const Options options = session.options();
    const std::vector<int32_t> ids = parse_ids(input_ids);
    const AttentionMode mode = parse_attention(attention);
    ArrowEngine engine(choose_model(session.model, kDefaultModel), options.engine);
    const LogitsResult result = engine.logits(ids, mode, hidden);
    save_npy(output, result.num_rows, result.num_columns, result.values);
  }
};

}  // namespace

void add_logits_command(CLI::App& app, Session& session) {
  auto state = std::make_shared<LogitsCommand>();
  CLI::App& command =
      add_command(app, session, "logits", "write the network's own rows, unshifted, as .npy",
                  CommonFlags::kModel, [state, &session] { state->run(session); });
  command.add_option("--input-ids", state->input_ids, "token ids, e.g. 1,2,3")
      ->type_name("IDS")
      ->required();
  command.add_option("--attention", state->attention, "causal|full (default: the model's own)")
      ->type_name("KIND");
  command.add_option("--output", state->output, "file to write")->type_name("FILE")->required();
  command.add_flag("--hidden", state->hidden, "the states after the final norm instead");
}

}  // namespace aios
