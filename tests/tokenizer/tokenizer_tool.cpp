/// Encodes files or strings for the comparison with Hugging Face's library
/// (tests/oracle/test_tokenizer.py).
///
///     tokenizer_tool TOKENIZER encode FILE…    per file: int32 triples (id, begin, end), to stdout
///     tokenizer_tool TOKENIZER records         per record of stdin: the same, and the decoded text
///     tokenizer_tool TOKENIZER time FILE…      seconds to encode each file once, after one warm-up
///     tokenizer_tool TOKENIZER answers         per line of stdin, a JSON object with "first",
///                                              perhaps "second" and options: all that encoding and
///                                              decoding give, as JSON
///     tokenizer_tool FOLDER chat               per line of stdin, a JSON object of variables: what
///     the
///                                              folder's chat template writes, as JSON
///
/// Numbers are little-endian. A block of triples follows its int32 count. A record is an int32 size
/// and so many bytes; the decoded text (special tokens kept) is written the same way.
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "aios/error.h"
#include "aios/tokenizer.h"
#include "base/text_file.h"

namespace {

constexpr std::size_t kMaxFile = std::size_t{1} << 30U;

void write_number(int64_t number) {
  const auto value = static_cast<int32_t>(number);
  std::fwrite(&value, sizeof(value), 1, stdout);
}

void write_encoding(const aios::Encoding& encoding) {
  write_number(static_cast<int64_t>(encoding.ids.size()));
  for (std::size_t i = 0; i < encoding.ids.size(); ++i) {
    write_number(encoding.ids[i]);
    write_number(encoding.offsets[i].first);
    write_number(encoding.offsets[i].second);
  }
}

void encode_records(const aios::FastTokenizer& tokenizer) {
  int32_t size = 0;
  while (std::fread(&size, sizeof(size), 1, stdin) == 1) {
    std::string text(static_cast<std::size_t>(size), '\0');
    if (std::fread(text.data(), 1, text.size(), stdin) != text.size()) return;
    const aios::Encoding encoding = tokenizer.encode(text);
    write_encoding(encoding);
    const std::string decoded = tokenizer.decode(encoding.ids, false);
    write_number(static_cast<int64_t>(decoded.size()));
    std::fwrite(decoded.data(), 1, decoded.size(), stdout);
  }
}

using nlohmann::json;

aios::TokenizeOptions read_options(const json& row, const aios::FastTokenizer& tokenizer) {
  aios::TokenizeOptions options;
  if (row.value("stored", false)) options = tokenizer.stored_options();
  options.add_special_tokens = row.value("add_special_tokens", true);
  options.max_length = row.value("max_length", options.max_length);
  options.truncate_left = row.value("truncate_left", options.truncate_left);
  if (row.contains("truncation")) {
    options.truncation = static_cast<aios::TruncationStrategy>(row["truncation"].get<int>());
  }
  options.return_overflow = true;
  options.stride = row.value("stride", options.stride);
  options.pad_to_length = row.value("pad_to_length", options.pad_to_length);
  options.pad_to_multiple = row.value("pad_to_multiple", options.pad_to_multiple);
  options.pad_left = row.value("pad_left", options.pad_left);
  options.offsets_in_characters = row.value("characters", false);
  return options;
}

json to_json(const aios::Encoding& encoding) {
  json overflow = json::array();
  for (const aios::Encoding& window : encoding.overflow) overflow.push_back(to_json(window));
  return {{"ids", encoding.ids},
          {"offsets", encoding.offsets},
          {"type_ids", encoding.type_ids},
          {"word_ids", encoding.word_ids},
          {"special", encoding.special_tokens_mask},
          {"attention", encoding.attention_mask},
          {"overflow", overflow}};
}

std::string stream(const aios::FastTokenizer& tokenizer, const std::vector<int32_t>& ids,
                   bool skip_special) {
  aios::StreamingDecoder decoder(tokenizer, skip_special);
  std::string text;
  for (const int32_t id : ids) text += decoder.push(id);
  return text + decoder.finish();
}

json answer(const json& row, const aios::FastTokenizer& tokenizer) {
  const aios::TokenizeOptions options = read_options(row, tokenizer);
  const auto first = row.at("first").get<std::string>();
  try {
    const aios::Encoding encoding =
        row.contains("second")
            ? tokenizer.encode_pair(first, row["second"].get<std::string>(), options)
            : tokenizer.encode(first, options);
    json result = to_json(encoding);
    for (const bool skip : {false, true}) {
      const std::string text = tokenizer.decode(encoding.ids, skip);
      result[skip ? "plain" : "decoded"] = text;
      if (stream(tokenizer, encoding.ids, skip) != text) result["stream"] = "differs";
    }
    return result;
  } catch (const aios::Error& error) {
    return {{"error", error.what()}};
  }
}

void answer_lines(const aios::FastTokenizer& tokenizer) {
  std::string line;
  while (std::getline(std::cin, line)) {
    std::cout << answer(json::parse(line), tokenizer).dump() << '\n';
  }
}

void render_lines(const std::string& folder) {
  const auto chat = aios::ChatTemplate::from_folder(folder);
  std::string line;
  while (std::getline(std::cin, line)) {
    json answer;
    try {
      answer["text"] = chat.render_json(line);
    } catch (const aios::Error& error) {
      answer["error"] = error.what();
    }
    std::cout << answer.dump() << '\n';
  }
}

void time_file(const aios::FastTokenizer& tokenizer, const std::string& text) {
  const auto run = [&] { return tokenizer.encode(text).ids.size(); };
  const std::size_t warm_up = run();
  const auto start = std::chrono::steady_clock::now();
  const std::size_t count = run();
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  std::printf("%.6f %zu\n", seconds.count(), count == warm_up ? count : 0);
}

}  // namespace

int main(int count, char** words) {
  try {
    const std::vector<std::string> arguments(words + 1, words + count);
    if (arguments.at(1) == "chat") {
      render_lines(arguments[0]);
      return 0;
    }
    const auto tokenizer = aios::FastTokenizer::from_file(arguments.at(0));
    if (arguments.at(1) == "records") encode_records(tokenizer);
    if (arguments[1] == "answers") answer_lines(tokenizer);
    for (std::size_t i = 2; i < arguments.size(); ++i) {
      const std::string text = aios::read_text_file(arguments[i], kMaxFile);
      if (arguments[1] == "time") {
        time_file(tokenizer, text);
      } else {
        write_encoding(tokenizer.encode(text));
      }
    }
  } catch (const std::exception& error) {
    std::cerr << "error: " << error.what() << '\n';
    return 1;
  }
  return 0;
}
