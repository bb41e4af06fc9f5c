// Times FastTokenizer for bench/tokenizer/run.py. All figures are seconds.
//
//   bench_tokenizer TOKENIZER
//       reads lines of a job and its arguments, and answers each with the time it took:
//         load                  reads the tokenizer again, until it is ready
//         cold FILE             tokenizes FILE in one call, nothing remembered of earlier texts
//         warm FILE             the same, with what the last call left in the caches
//         lines FILE            one call for each line of FILE
//         batch FILE THREADS    one call with all lines of FILE
//         decode FILE           decodes the ids of FILE, one by one
//         tokens FILE           answers with the number of tokens instead
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <map>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "aios/tokenizer.h"
#include "base/text_file.h"

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kMaxFile = std::size_t{1} << 30U;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

struct Input {
  std::string text;
  std::vector<std::string> lines;  // not the empty ones
};

Input read_input(const std::string& path) {
  Input input{aios::read_text_file(path, kMaxFile), {}};
  std::istringstream stream(input.text);
  for (std::string line; std::getline(stream, line);) {
    if (!line.empty()) input.lines.push_back(line);
  }
  return input;
}

class Bench {
 public:
  explicit Bench(std::string path)
      : path_(std::move(path)), tokenizer_(aios::FastTokenizer::from_file(path_)) {}

  double run(const std::string& job, const std::string& file, int num_threads) {
    if (job == "load") {
      const auto start = Clock::now();
      const auto tokenizer = aios::FastTokenizer::from_file(path_);
      return seconds_since(start);
    }
    const Input& input = inputs_.try_emplace(file, Input{}).first->second.text.empty()
                             ? (inputs_[file] = read_input(file))
                             : inputs_[file];
    if (job == "cold") {
      const auto fresh = aios::FastTokenizer::from_file(path_);
      return time_call(fresh, input);
    }
    if (job == "warm") return time_call(tokenizer_, input);
    if (job == "tokens") return static_cast<double>(tokenizer_.encode(input.text).ids.size());
    if (job == "decode") return time_decode(input);
    const auto start = Clock::now();
    if (job == "lines") {
      for (const std::string& line : input.lines) static_cast<void>(tokenizer_.encode(line));
    } else if (job == "batch") {
      static_cast<void>(tokenizer_.encode_batch(input.lines, {}, num_threads));
    } else {
      throw std::runtime_error("no such job: " + job);
    }
    return seconds_since(start);
  }

 private:
  static double time_call(const aios::FastTokenizer& tokenizer, const Input& input) {
    const auto start = Clock::now();
    const aios::Encoding encoding = tokenizer.encode(input.text);
    return seconds_since(start);
  }

  [[nodiscard]] double time_decode(const Input& input) const {
    const aios::Encoding encoding = tokenizer_.encode(input.text);
    const auto start = Clock::now();
    aios::StreamingDecoder decoder(tokenizer_);
    for (const int32_t id : encoding.ids) static_cast<void>(decoder.push(id));
    static_cast<void>(decoder.finish());
    return seconds_since(start);
  }

  std::string path_;
  aios::FastTokenizer tokenizer_;
  std::map<std::string, Input> inputs_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "error: usage: bench_tokenizer TOKENIZER\n";
    return 2;
  }
  try {
    Bench bench(argv[1]);
    for (std::string line; std::getline(std::cin, line);) {
      std::istringstream words(line);
      std::string job;
      std::string file;
      int num_threads = 1;
      words >> job >> file >> num_threads;
      std::cout << bench.run(job, file, num_threads) << std::endl;
    }
  } catch (const std::exception& error) {
    std::cerr << "error: " << error.what() << '\n';
    return EXIT_FAILURE;
  }
  return EXIT_SUCCESS;
}
