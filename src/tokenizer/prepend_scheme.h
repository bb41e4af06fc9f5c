/// When Metaspace puts its character before a text; its decoder takes it away again.
#pragma once

namespace aios::tokenizer {

class JsonNode;

enum class PrependScheme { kNever, kFirst, kAlways };

/// From "prepend_scheme", or the older "add_prefix_space".
/// @throws FormatError on an unknown scheme, or if the two contradict each other
[[nodiscard]] PrependScheme read_prepend_scheme(const JsonNode& metaspace);

}  // namespace aios::tokenizer
