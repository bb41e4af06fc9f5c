// Everything in tests/tokenizer/goldens.json, which tools/tokenizer_goldens.py made with Hugging
// Face's library: 30 pipelines over four small vocabularies.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "aios/tokenizer.h"
#include "base/utf8.h"

namespace aios {
namespace {

using nlohmann::json;

json read_json(const std::string& name) {
  const std::string path = std::string(AIOS_SOURCE_DIR) + "/tests/tokenizer/" + name;
  std::ifstream file(path);
  if (!file) throw std::runtime_error("cannot read " + path);
  return json::parse(file);
}

const json& goldens() {
  static const json loaded = read_json("goldens.json");
  return loaded;
}

FastTokenizer load(const json& golden) {
  json document = read_json("fixtures/" + golden.at("fixture").get<std::string>() + ".json");
  document.merge_patch(golden.at("patch"));
  return FastTokenizer::from_json(document.dump());
}

std::vector<int64_t> flat_offsets(const Encoding& encoding) {
  std::vector<int64_t> flat;
  for (const auto& [begin, end] : encoding.offsets) flat.insert(flat.end(), {begin, end});
  return flat;
}

/// A mask that the golden leaves out has everywhere the value `usual`.
template <typename T>
void expect_mask(const std::vector<T>& mask, const json& row, const char* key, T usual) {
  EXPECT_EQ(mask, row.contains(key) ? row[key].get<std::vector<T>>()
                                    : std::vector<T>(row["ids"].size(), usual))
      << key;
}

void expect_encoding(const Encoding& encoding, const json& row) {
  EXPECT_EQ(encoding.ids, row.at("ids").get<std::vector<int32_t>>());
  EXPECT_EQ(flat_offsets(encoding), row.at("offsets").get<std::vector<int64_t>>());
  expect_mask<int32_t>(encoding.type_ids, row, "type_ids", 0);
  expect_mask<uint8_t>(encoding.special_tokens_mask, row, "special", 0);
  expect_mask<uint8_t>(encoding.attention_mask, row, "attention", 1);
}

Encoding encode(const FastTokenizer& tokenizer, const json& row) {
  TokenizeOptions options;
  options.add_special_tokens = row.value("add_special_tokens", true);
  options.max_length = row.value("max_length", 0);
  options.truncate_left = row.value("truncate_left", false);
  const auto text = row.at("text").get<std::string>();
  if (!row.contains("second")) return tokenizer.encode(text, options);
  return tokenizer.encode_pair(text, row["second"].get<std::string>(), options);
}

/// The pieces joined; each must be whole UTF-8 characters.
std::string stream(const FastTokenizer& tokenizer, const std::vector<int32_t>& ids,
                   bool skip_special) {
  StreamingDecoder decoder(tokenizer, skip_special);
  std::string text;
  const auto take = [&](const std::string& piece) {
    EXPECT_EQ(find_invalid_utf8(piece), piece.size()) << "half a character";
    text += piece;
  };
  for (const int32_t id : ids) take(decoder.push(id));
  take(decoder.finish());
  return text;
}

void expect_row(const FastTokenizer& tokenizer, const json& row) {
  const Encoding encoding = encode(tokenizer, row);
  expect_encoding(encoding, row);
  for (const bool skip_special : {false, true}) {
    const std::string decoded = tokenizer.decode(encoding.ids, skip_special);
    EXPECT_EQ(stream(tokenizer, encoding.ids, skip_special), decoded);
    if (!row.contains("decoded")) continue;
    const char* key = skip_special && row.contains("decoded_plain") ? "decoded_plain" : "decoded";
    EXPECT_EQ(decoded, row[key].get<std::string>()) << key;
  }
}

TEST(Goldens, EveryPipelineEncodesAndDecodesLikeTheOracle) {
  std::size_t num_rows = 0;
  for (const json& golden : goldens().at("texts")) {
    const FastTokenizer tokenizer = load(golden);
    for (const json& row : golden.at("rows")) {
      SCOPED_TRACE(golden["fixture"].dump() + " " + golden["patch"].dump() + "\n" +
                   row["text"].dump() + row.value("second", json()).dump());
      expect_row(tokenizer, row);
      ++num_rows;
    }
  }
  EXPECT_GT(num_rows, 400U);
}

TEST(Goldens, BatchesPadLikeTheOracle) {
  const FastTokenizer tokenizer = load({{"fixture", "bert"}, {"patch", json::object()}});
  for (const json& golden : goldens().at("padding")) {
    SCOPED_TRACE(golden.dump());
    TokenizeOptions options;
    options.pad_to_length = golden.at("pad_to_length");
    options.pad_left = golden.at("pad_left");
    const auto texts = golden.at("texts").get<std::vector<std::string>>();
    const std::vector<Encoding> encodings = tokenizer.encode_batch(texts, options);
    ASSERT_EQ(encodings.size(), texts.size());
    for (std::size_t i = 0; i < texts.size(); ++i) {
      expect_encoding(encodings[i], golden.at("results")[i]);
    }
  }
}

}  // namespace
}  // namespace aios
