// Times llama.cpp's tokenizer for bench/tokenizer/run.py: the jobs `warm` and `lines` of
// bench_tokenizer.
//
//   llama_tokenizer_worker VOCABULARY.gguf
//
// Built by setup.sh against the libllama that it builds.
#include <llama.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

std::vector<std::string> parts_of(const std::string& job, const std::string& text) {
  if (job == "warm") return {text};
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) {
    if (!line.empty()) lines.push_back(line);
  }
  return lines;
}

double seconds_of(const llama_vocab* vocab, const std::vector<std::string>& parts) {
  std::vector<llama_token> tokens;
  const auto start = Clock::now();
  for (const std::string& part : parts) {
    tokens.resize(part.size() + 2);
    const auto size = static_cast<int32_t>(part.size());
    const auto capacity = static_cast<int32_t>(tokens.size());
    if (llama_tokenize(vocab, part.data(), size, tokens.data(), capacity, true, false) < 0) {
      std::exit(EXIT_FAILURE);
    }
  }
  return std::chrono::duration<double>(Clock::now() - start).count();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  llama_log_set([](ggml_log_level, const char*, void*) {}, nullptr);
  llama_model_params parameters = llama_model_default_params();
  parameters.vocab_only = true;
  llama_model* const model = llama_model_load_from_file(argv[1], parameters);
  if (model == nullptr) return EXIT_FAILURE;
  for (std::string line; std::getline(std::cin, line);) {
    std::istringstream words(line);
    std::string job;
    std::string file;
    words >> job >> file;
    std::ifstream stream(file, std::ios::binary);
    const std::string text((std::istreambuf_iterator<char>(stream)),
                           std::istreambuf_iterator<char>());
    std::cout << seconds_of(llama_model_get_vocab(model), parts_of(job, text)) << std::endl;
  }
  llama_model_free(model);
  return EXIT_SUCCESS;
}
