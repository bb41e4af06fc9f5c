/// Encodes texts for the comparisons with Hugging Face's library (tests/oracle/test_tokenizer*.py).
///
///     tokenizer_tool TOKENIZER records         per record of stdin: rows of five int32 (id, begin,
///                                              end, type id, special-token mask) and the decoded
///                                              text, to stdout
///     tokenizer_tool TOKENIZER answers         per line of stdin, a JSON object with "first",
///                                              perhaps "second" and options: all that encoding and
///                                              decoding give, as JSON
///     tokenizer_tool FOLDER chat               per line of stdin, a JSON object of variables: what
///                                              the folder's chat template writes, as JSON
///
/// Numbers are little-endian. Rows follow their int32 count, which is -1 for a text that was
/// refused. A record is an int32 size and so many bytes; the decoded text (special tokens kept) is
/// written the same way.
#include <cstdint>
#include <cstdio>
#include <exception>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "aios/error.h"
#include "aios/tokenizer.h"

namespace {

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
    write_number(encoding.type_ids[i]);
    write_number(encoding.special_tokens_mask[i]);
  }
}

void answer_record(const aios::FastTokenizer& tokenizer, const std::string& text) {
  aios::Encoding encoding;
  try {
    encoding = tokenizer.encode(text);
  } catch (const aios::TokenizerError&) {
    write_number(-1);
    return;
  }
  write_encoding(encoding);
  const std::string decoded = tokenizer.decode(encoding.ids, false);
  write_number(static_cast<int64_t>(decoded.size()));
  std::fwrite(decoded.data(), 1, decoded.size(), stdout);
}

void answer_records(const aios::FastTokenizer& tokenizer) {
  int32_t size = 0;
  while (std::fread(&size, sizeof(size), 1, stdin) == 1) {
    std::string text(static_cast<std::size_t>(size), '\0');
    if (std::fread(text.data(), 1, text.size(), stdin) != text.size()) return;
    answer_record(tokenizer, text);
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

}  // namespace

int main(int count, char** words) {
  try {
    const std::vector<std::string> arguments(words + 1, words + count);
    if (arguments.at(1) == "chat") {
      render_lines(arguments[0]);
      return 0;
    }
    const auto tokenizer = aios::FastTokenizer::from_file(arguments.at(0));
    if (arguments.at(1) == "records") answer_records(tokenizer);
    if (arguments[1] == "answers") answer_lines(tokenizer);
  } catch (const std::exception& error) {
    std::cerr << "error: " << error.what() << '\n';
    return 1;
  }
  return 0;
}
