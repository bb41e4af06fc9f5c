#include "tokenizer/prepend_scheme.h"

#include "tokenizer/json_node.h"

namespace aios::tokenizer {

PrependScheme read_prepend_scheme(const JsonNode& metaspace) {
  const std::string name = metaspace.string_or("prepend_scheme", "always");
  if (name != "always" && name != "first" && name != "never") {
    metaspace.fail("prepend_scheme " + quote(name) +
                   " is not supported; supported are always, first, never");
  }
  if (!metaspace.bool_or("add_prefix_space", true)) {
    // The default is overruled; a scheme that the file names is not.
    if (metaspace.find("prepend_scheme") && name != "never") {
      metaspace.fail("add_prefix_space false contradicts prepend_scheme " + quote(name));
    }
    return PrependScheme::kNever;
  }
  return name == "always"  ? PrependScheme::kAlways
         : name == "first" ? PrependScheme::kFirst
                           : PrependScheme::kNever;
}

}  // namespace aios::tokenizer
