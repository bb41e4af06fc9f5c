// Times whole models through the public library, for bench/run.py. All figures are seconds.
//
//   bench_engine encode MODEL THREADS
//       reads "BATCH LENGTH" lines and answers each with the time of one encode call
//   bench_engine diffuse MODEL THREADS LENGTH STEPS
//       prints "first step" when the first step begins, and the time from there to the text
//   bench_engine generate MODEL THREADS PROMPT_LENGTH NEW_TOKENS
//       prints the prompt's time, and the time of all new tokens but the first
//
// Neither reports the time of tokenization: the peers are given ids, or do it before their loop.

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <string>
#include <vector>

#include "aios/engine.h"
#include "aios/error.h"

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

aios::EngineConfig engine_config(const std::string& num_threads) {
  aios::EngineConfig config;
  config.num_threads = std::stoi(num_threads);
  return config;
}

// Texts of exactly `length` tokens with [CLS] and [SEP]: words of BERT's vocabulary, all different
// from text to text.
std::vector<std::string> make_texts(int batch, int length) {
  static const std::vector<std::string> words = {"the",  "house", "river", "stone", "light",
                                                 "bird", "hand",  "wind",  "road",  "water",
                                                 "time", "world", "night", "paper", "city"};
  std::vector<std::string> texts(static_cast<std::size_t>(batch));
  std::size_t state = 1;
  for (std::string& text : texts) {
    for (int i = 0; i < length - 2; ++i) {
      state = state * 6364136223846793005U + 1442695040888963407U;
      text += words[(state >> 33U) % words.size()] + ' ';
    }
  }
  return texts;
}

void run_encode(const std::string& model, const std::string& num_threads) {
  aios::ArrowEngine engine(model, engine_config(num_threads));
  int batch = 0;
  int length = 0;
  while (std::cin >> batch >> length) {
    const std::vector<std::string> texts = make_texts(batch, length);
    const Clock::time_point start = Clock::now();
    const aios::EncodeResult result = engine.encode(texts);
    const double seconds = seconds_since(start) - result.seconds.tokenize;
    for (const int32_t num_tokens : result.num_tokens) {
      if (num_tokens != length) {
        throw aios::ConfigError("a text of " + std::to_string(length) + " tokens was cut into " +
                                std::to_string(num_tokens) +
                                ": use a model with BERT's vocabulary");
      }
    }
    std::cout << seconds << std::endl;
  }
}

void run_diffuse(const std::string& model, const std::string& num_threads, int length,
                 int num_steps) {
  const std::string prompt = "12345678";  // a digit is a token in the vocabulary of make_models.py
  aios::DiffusionConfig config;
  config.max_new_tokens = length - static_cast<int32_t>(prompt.size());
  config.num_steps = num_steps;
  config.remasking = aios::Remasking::kMaskgitPlus;
  config.stop_at_end_of_text = false;

  aios::ArrowEngine engine(model, engine_config(num_threads));
  Clock::time_point start;
  const aios::DiffusionResults results =
      engine.diffuse(prompt, config, [&start](const aios::StepView& view) {
        if (view.step == 0) {
          std::cout << "first step" << std::endl;
          start = Clock::now();
        }
      });
  const double seconds = seconds_since(start);
  const aios::DiffusionResult& result = results.samples.at(0);
  if (result.num_steps != num_steps || results.num_forward_passes != num_steps ||
      result.num_prompt_tokens + static_cast<int>(result.token_ids.size()) != length) {
    throw aios::ConfigError("the run did " + std::to_string(results.num_forward_passes) +
                            " passes over " + std::to_string(result.num_prompt_tokens) + " + " +
                            std::to_string(result.token_ids.size()) + " tokens, not " +
                            std::to_string(num_steps) + " over " + std::to_string(length));
  }
  std::cout << seconds << std::endl;
}

void run_generate(const std::string& model, const std::string& num_threads, int prompt_length,
                  int num_tokens) {
  std::string prompt;
  for (int i = 0; i < prompt_length; ++i) prompt += static_cast<char>('0' + i % 10);
  aios::GenerationConfig config;
  config.max_new_tokens = num_tokens;
  config.temperature = 0;
  aios::ArrowEngine engine(model, engine_config(num_threads));
  const aios::GenerationResults results = engine.generate(prompt, config);
  const aios::GenerationResult& result = results.samples.at(0);
  if (result.num_prompt_tokens != prompt_length ||
      static_cast<int>(result.token_ids.size()) != num_tokens) {
    throw aios::ConfigError("the run was " + std::to_string(result.num_prompt_tokens) + " + " +
                            std::to_string(result.token_ids.size()) + " tokens, not " +
                            std::to_string(prompt_length) + " + " + std::to_string(num_tokens));
  }
  std::cout << results.seconds.prompt << ' ' << results.seconds.compute << std::endl;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  try {
    if (arguments.size() == 3 && arguments[0] == "encode") {
      run_encode(arguments[1], arguments[2]);
    } else if (arguments.size() == 5 && arguments[0] == "diffuse") {
      run_diffuse(arguments[1], arguments[2], std::stoi(arguments[3]), std::stoi(arguments[4]));
    } else if (arguments.size() == 5 && arguments[0] == "generate") {
      run_generate(arguments[1], arguments[2], std::stoi(arguments[3]), std::stoi(arguments[4]));
    } else {
      std::cerr << "error: usage: bench_engine encode MODEL THREADS, or\n"
                   "       bench_engine diffuse MODEL THREADS LENGTH STEPS, or\n"
                   "       bench_engine generate MODEL THREADS PROMPT_LENGTH NEW_TOKENS\n";
      return 2;
    }
  } catch (const std::exception& error) {
    std::cerr << "error: " << error.what() << '\n';
    return EXIT_FAILURE;
  }
  return EXIT_SUCCESS;
}
