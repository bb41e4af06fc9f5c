// Any text as a chat template for a short conversation: a typed error, or a prompt that is UTF-8.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "aios/error.h"
#include "aios/tokenizer.h"
#include "base/utf8.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  static const std::string variables = R"({"messages": [
      {"role": "system", "content": " Be brief.\n"}, {"role": "user", "content": "caf\u00e9"},
      {"role": "assistant", "content": null,
       "tool_calls": [{"name": "f", "arguments": {"x": 1.5}}]},
      {"role": "user", "content": [{"type": "text", "text": "<think> a"}]}],
      "tools": [{"name": "f"}], "bos_token": "<s>", "add_generation_prompt": true})";
  const std::string_view source(reinterpret_cast<const char*>(data), size);
  try {
    const std::string prompt = aios::ChatTemplate::from_text(source).render_json(variables);
    if (aios::find_invalid_utf8(prompt) != prompt.size()) std::abort();
  } catch (const aios::FormatError&) {  // the template is bad
  } catch (const aios::ConfigError&) {  // it refuses the conversation
  }
  return 0;
}
