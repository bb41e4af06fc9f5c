#include "tokenizer/special_tokens.h"

#include <array>
#include <initializer_list>
#include <string_view>
#include <vector>

#include "base/log.h"

namespace aios::tokenizer {
namespace {

struct Role {
  std::optional<int32_t> SpecialTokens::*member;
  const char* key;
  std::array<std::string_view, 5> customary;  // empty names: none
};

constexpr std::array<Role, 7> kRoles = {{
    {&SpecialTokens::begin, "bos_token", {}},
    {&SpecialTokens::end, "eos_token", {}},
    {&SpecialTokens::pad, "pad_token", {"[PAD]", "<pad>", "<|pad|>"}},
    {&SpecialTokens::mask,
     "mask_token",
     {"[MASK]", "<mask>", "<|mask|>", "<|mdm_mask|>", "<MASK>"}},
    {&SpecialTokens::unknown, "unk_token", {}},
    {&SpecialTokens::separator, "sep_token", {"[SEP]"}},
    {&SpecialTokens::classify, "cls_token", {"[CLS]"}},
}};

std::optional<int32_t> find_named(const JsonNode& config, const char* key,
                                  const Pipeline& pipeline) {
  const auto entry = config.find(key);
  if (!entry) return std::nullopt;
  const std::string name =
      entry->is_object() ? entry->at("content").as_string() : entry->as_string();
  const auto id = pipeline.find(name);
  if (!id && !name.empty()) {
    log_message(LogLevel::kWarning,
                std::string(key) + " " + quote(name) + " is not in the vocabulary");
  }
  return id;
}

std::optional<int32_t> find_customary(const Role& role, const Pipeline& pipeline) {
  for (const std::string_view name : role.customary) {
    const auto id = name.empty() ? std::nullopt : pipeline.find(name);
    if (id && pipeline.is_special(*id)) return id;
  }
  return std::nullopt;
}

}  // namespace

SpecialTokens read_special_tokens(const std::vector<JsonNode>& configs, const Pipeline& pipeline) {
  SpecialTokens tokens;
  for (const Role& role : kRoles) {
    std::optional<int32_t>& id = tokens.*role.member;
    for (const JsonNode& config : configs) {
      if (!id) id = find_named(config, role.key, pipeline);
    }
    if (!id) id = find_customary(role, pipeline);
  }
  const int32_t unknown = pipeline.unknown_token();
  if (!tokens.unknown && unknown != Vocabulary::kNone) tokens.unknown = unknown;
  return tokens;
}

}  // namespace aios::tokenizer
