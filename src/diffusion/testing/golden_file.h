/// For tests: reads the files of tests/goldens.
#pragma once

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

namespace aios::test {

inline nlohmann::json read_golden(const std::string& name) {
  std::ifstream file(AIOS_SOURCE_DIR "/tests/goldens/" + name);
  return nlohmann::json::parse(file);
}

}  // namespace aios::test
