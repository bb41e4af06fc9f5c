#define PCRE2_CODE_UNIT_WIDTH 8
#include "tokenizer/regex.h"

#include <pcre2.h>

#include <algorithm>
#include <array>
#include <new>

#include "aios/error.h"
#include "tokenizer/json_node.h"

namespace aios::tokenizer {
namespace {

constexpr std::size_t kFirstStack = std::size_t{32} << 10U;
constexpr std::size_t kLargestStack = std::size_t{16} << 20U;
// Bounds on backtracking. Expressions of known tokenizers look at a character a few times; one that
// takes exponential time is stopped before it is noticed.
constexpr std::size_t kMatchLimit = 1'000'000;
constexpr std::size_t kMatchLimitPerByte = 16;

struct FreeCode {
  void operator()(pcre2_code* code) const noexcept { pcre2_code_free(code); }
};
struct FreeCompileContext {
  void operator()(pcre2_compile_context* context) const noexcept {
    pcre2_compile_context_free(context);
  }
};
struct FreeData {
  void operator()(pcre2_match_data* data) const noexcept { pcre2_match_data_free(data); }
};
struct FreeContext {
  void operator()(pcre2_match_context* context) const noexcept {
    pcre2_match_context_free(context);
  }
};
struct FreeStack {
  void operator()(pcre2_jit_stack* stack) const noexcept { pcre2_jit_stack_free(stack); }
};

std::string pcre2_message(int error) {
  std::array<PCRE2_UCHAR, 256> text{};
  pcre2_get_error_message(error, text.data(), text.size());
  return reinterpret_cast<const char*>(text.data());
}

}  // namespace

struct RegexScratch::State {
  std::unique_ptr<pcre2_match_data, FreeData> data{pcre2_match_data_create(1, nullptr)};
  std::unique_ptr<pcre2_jit_stack, FreeStack> stack{
      pcre2_jit_stack_create(kFirstStack, kLargestStack, nullptr)};
  std::unique_ptr<pcre2_match_context, FreeContext> context{pcre2_match_context_create(nullptr)};

  State() {
    if (!data || !stack || !context) throw std::bad_alloc();
    pcre2_jit_stack_assign(context.get(), nullptr, stack.get());
  }
};

RegexScratch::RegexScratch() noexcept = default;
RegexScratch::~RegexScratch() = default;

struct Regex::Code {
  std::unique_ptr<pcre2_code, FreeCode> compiled;

  Code(std::string_view pattern, std::string_view shown, uint32_t options) {
    const std::unique_ptr<pcre2_compile_context, FreeCompileContext> context(
        pcre2_compile_context_create(nullptr));
    if (!context) throw std::bad_alloc();
    pcre2_set_newline(context.get(), PCRE2_NEWLINE_LF);  // the default is chosen by the packager
    int error = 0;
    PCRE2_SIZE offset = 0;
    compiled.reset(pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.data()), pattern.size(),
                                 options, &error, &offset, context.get()));
    if (!compiled) {
      throw FormatError("regular expression '" + std::string(shown) +
                        "' does not compile: " + pcre2_message(error));
    }
    // Where the system forbids generated code, PCRE2 interprets: slower, with the same results.
    pcre2_jit_compile(compiled.get(), PCRE2_JIT_COMPLETE);
  }
};

Regex::Regex() noexcept = default;
Regex::~Regex() = default;
Regex::Regex(Regex&&) noexcept = default;
Regex& Regex::operator=(Regex&&) noexcept = default;

// In Ruby syntax ^ and $ match at every line.
Regex::Regex(std::string_view pattern)
    : code_(std::make_unique<Code>(translate_oniguruma(pattern), pattern,
                                   PCRE2_UTF | PCRE2_UCP | PCRE2_MULTILINE | PCRE2_NO_AUTO_CAPTURE |
                                       PCRE2_NEVER_BACKSLASH_C)) {}

Regex Regex::literal(std::string_view text) {
  Regex regex;
  regex.literal_ = text;
  return regex;
}

std::optional<Span> Regex::find(std::string_view subject, std::size_t from,
                                RegexScratch& scratch) const {
  if (!code_) {
    const std::size_t at = subject.find(literal_, from);
    if (at == std::string_view::npos) return std::nullopt;
    return Span{static_cast<uint32_t>(at), static_cast<uint32_t>(at + literal_.size())};
  }
  if (!scratch.state_) scratch.state_ = std::make_unique<RegexScratch::State>();
  RegexScratch::State& state = *scratch.state_;
  const std::size_t limit = kMatchLimit + kMatchLimitPerByte * (subject.size() - from);
  pcre2_set_match_limit(state.context.get(),
                        static_cast<uint32_t>(std::min<std::size_t>(limit, UINT32_MAX)));
  const int result =
      pcre2_match(code_->compiled.get(), reinterpret_cast<PCRE2_SPTR>(subject.data()),
                  subject.size(), from, PCRE2_NO_UTF_CHECK, state.data.get(), state.context.get());
  if (result == PCRE2_ERROR_NOMATCH) return std::nullopt;
  if (result < 0) {
    throw TokenizerError("splitting the text at byte " + std::to_string(from) + " failed: " +
                         pcre2_message(result) + "; split the text into smaller parts");
  }
  const PCRE2_SIZE* const span = pcre2_get_ovector_pointer(state.data.get());
  return Span{static_cast<uint32_t>(span[0]), static_cast<uint32_t>(span[1])};
}

Regex read_pattern(const JsonNode& json) {
  if (const auto text = json.find("String")) return Regex::literal(text->as_string());
  try {
    return Regex(json.at("Regex").as_string());
  } catch (const FormatError& error) {
    json.fail(error.what());
  }
}

}  // namespace aios::tokenizer
