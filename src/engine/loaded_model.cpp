#include "engine/loaded_model.h"

#include <filesystem>
#include <utility>

#include "aios/device.h"
#include "aios/error.h"
#include "backend/cpu/cpu_backend.h"
#include "base/cpu_features.h"
#include "base/log.h"
#include "base/text_file.h"
#include "storage/weight_loader.h"

namespace aios {
namespace {

constexpr std::size_t kMaxConfigBytes = std::size_t{4} << 20U;

std::shared_ptr<Backend> make_backend(const EngineConfig& config) {
  const Device device = choose_device(config.device);
  if (device.kind != DeviceKind::kCpu) {
    throw DeviceError("device '" + device.name + "' has no backend in this build; use cpu");
  }
  return make_cpu_backend(std::make_shared<ThreadPool>(config.num_threads), choose_isa(),
                          config.compute);
}

std::string join(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

/// The text of a file, or nothing if there is no such file.
std::string read_if_there(const std::filesystem::path& path) {
  return std::filesystem::exists(path) ? read_text_file(path, kMaxConfigBytes) : std::string();
}

}  // namespace

ModelSpec read_model_spec(const std::string& directory) {
  const std::filesystem::path folder = directory;
  if (!std::filesystem::is_directory(folder)) {
    throw IoError("no model directory '" + directory + "'");
  }
  if (!std::filesystem::exists(folder / "config.json")) {
    throw IoError("'" + directory + "' is no model directory: it has no config.json");
  }
  ModelSpec spec = parse_model_spec(read_text_file(folder / "config.json", kMaxConfigBytes),
                                    read_if_there(folder / "generation_config.json"));
  const bool made_for_sentences = std::filesystem::exists(folder / "modules.json");
  if (made_for_sentences && !spec.has_mode(Mode::kEncode)) spec.modes.push_back(Mode::kEncode);
  return spec;
}

std::vector<std::string> mode_names(const ModelSpec& spec) {
  std::vector<std::string> names;
  if (spec.has_mode(Mode::kEncode)) names.emplace_back("encode");
  if (spec.has_mode(Mode::kGenerate)) names.emplace_back("generate");
  if (spec.has_mode(Mode::kDiffuse)) names.insert(names.end(), {"diffuse", "infill"});
  if (spec.has_mode(Mode::kGenerate) || spec.has_mode(Mode::kDiffuse)) names.emplace_back("score");
  return names;
}

LoadedModel::LoadedModel(std::string directory, const EngineConfig& config)
    : directory_(std::move(directory)) {
  ModelSpec spec = read_model_spec(directory_);
  const std::shared_ptr<Backend> backend = make_backend(config);
  core_ =
      std::make_unique<InferenceCore>(std::move(spec), *WeightLoader::open(directory_), backend);
  log_message(LogLevel::kInfo, "opened '" + directory_ + "': " + core_->spec().family +
                                   ", kernels for " + std::string(isa_name(choose_isa())));
  if (!FastTokenizer::found_in(directory_)) return;
  tokenizer_ = FastTokenizer::from_file(directory_);
  token_rules_ = make_token_rules(core_->spec(), *tokenizer_);
}

const FastTokenizer& LoadedModel::tokenizer() const {
  if (!tokenizer_) {
    throw InferenceError("'" + directory_ + "' has no tokenizer: it can only give logits");
  }
  return *tokenizer_;
}

const TokenRules& LoadedModel::token_rules() const {
  (void)tokenizer();
  return *token_rules_;
}

void LoadedModel::require(Mode mode) const {
  if (spec().has_mode(mode)) return;
  throw InferenceError("this " + spec().family + " model cannot " + mode_name(mode) +
                       "; it can: " + join(mode_names(spec())));
}

}  // namespace aios
