/// Which model a command uses when the user does not say.
#pragma once

#include <string>

namespace aios {

/// `model` if given, else $AIOS_MODEL, else the directory `name` under the program's own models:
/// `share/aios/models` of the installation, or `models` of the source tree it was built in.
/// @throws ConfigError saying how to get a model, if there is none
[[nodiscard]] std::string choose_model(const std::string& model, const std::string& name);

inline constexpr const char* kDefaultModel = "books-6m";
inline constexpr const char* kDefaultEncoder = "all-MiniLM-L6-v2";

}  // namespace aios
