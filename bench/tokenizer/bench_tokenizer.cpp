// Times FastTokenizer for bench/tokenizer/run.py. All figures are seconds.
//
//   bench_tokenizer TOKENIZER
//       reads lines of a job and its arguments, and answers each with the time it took:
//         load                  reads the tokenizer again, until it is ready
//         first-load            how long that took when the process began
//         cold FILE             tokenizes FILE in one call, nothing remembered of earlier texts
//         warm FILE             the same, with what the last call left in the caches
//         lines FILE            one call for each line of FILE
//         batch FILE THREADS    one call for each 10,000 lines of FILE
//         decode FILE           decodes the ids of FILE, one by one
//         tokens FILE           answers with the number of tokens instead
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <map>
#include <span>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "aios/tokenizer.h"
#include "base/text_file.h"

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kMaxFile = std::size_t{1} << 30U;
constexpr std::size_t kBatch = 10'000;  // lines

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// Not the empty ones.
std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) {
    if (!line.empty()) lines.push_back(line);
  }
  return lines;
}

class Bench {
 public:
  explicit Bench(std::string path)
      : path_(std::move(path)),
        start_(Clock::now()),
        tokenizer_(aios::FastTokenizer::from_file(path_)),
        first_load_(seconds_since(start_)) {}

  double run(const std::string& job, const std::string& file, int num_threads) {
    if (job == "first-load") return first_load_;
    if (job == "load") {
      const auto start = Clock::now();
      const auto tokenizer = aios::FastTokenizer::from_file(path_);
      return seconds_since(start);
    }
    std::string& text = texts_[file];
    if (text.empty()) text = aios::read_text_file(file, kMaxFile);
    if (job == "cold") return time_call(aios::FastTokenizer::from_file(path_), text);
    if (job == "warm") return time_call(tokenizer_, text);
    if (job == "tokens") return static_cast<double>(tokenizer_.encode(text).ids.size());
    if (job == "decode") return time_decode(text);
    std::vector<std::string>& lines = lines_[file];
    if (lines.empty()) lines = lines_of(text);
    if (job == "lines") return time_lines(lines);
    if (job == "batch") return time_batches(lines, num_threads);
    throw std::runtime_error("no such job: " + job);
  }

 private:
  static double time_call(const aios::FastTokenizer& tokenizer, const std::string& text) {
    const auto start = Clock::now();
    const aios::Encoding encoding = tokenizer.encode(text);
    return seconds_since(start);
  }

  [[nodiscard]] double time_lines(const std::vector<std::string>& lines) const {
    const auto start = Clock::now();
    for (const std::string& line : lines) static_cast<void>(tokenizer_.encode(line));
    return seconds_since(start);
  }

  [[nodiscard]] double time_batches(std::span<const std::string> lines, int num_threads) const {
    double seconds = 0;
    while (!lines.empty()) {
      const auto batch = lines.first(std::min(kBatch, lines.size()));
      const auto start = Clock::now();
      const std::vector<aios::Encoding> encodings = tokenizer_.encode_batch(batch, {}, num_threads);
      seconds += seconds_since(start);
      lines = lines.subspan(batch.size());
    }
    return seconds;
  }

  [[nodiscard]] double time_decode(const std::string& text) const {
    const aios::Encoding encoding = tokenizer_.encode(text);
    const auto start = Clock::now();
    aios::StreamingDecoder decoder(tokenizer_);
    for (const int32_t id : encoding.ids) static_cast<void>(decoder.push(id));
    static_cast<void>(decoder.finish());
    return seconds_since(start);
  }

  std::string path_;
  Clock::time_point start_;
  aios::FastTokenizer tokenizer_;
  double first_load_;
  std::map<std::string, std::string> texts_;
  std::map<std::string, std::vector<std::string>> lines_;
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
