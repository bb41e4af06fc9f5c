// books-6m, a real model, against the float32 logits that PyTorch computed for it.
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>

#include "model/parity_fixture.h"

namespace aios {
namespace {

/// The elements of one array of an uncompressed .npz: a zip file of .npy files. (Formats: PKWARE's
/// APPNOTE 4.3.7, numpy/lib/format.py.) The files are the project's own and are trusted.
template <typename T>
std::vector<T> read_npz_array(const std::string& npz, const std::string& array) {
  const std::string name = array + ".npy";
  const auto number = [&](std::size_t offset) {  // 16 bits, little endian
    return static_cast<std::size_t>(static_cast<uint8_t>(npz.at(offset))) |
           static_cast<std::size_t>(static_cast<uint8_t>(npz.at(offset + 1))) << 8U;
  };
  std::size_t header = npz.find("PK\x03\x04");
  while (npz.compare(header + 30, number(header + 26), name) != 0) {
    header = npz.find("PK\x03\x04", header + 4);
  }
  const std::size_t npy = header + 30 + number(header + 26) + number(header + 28);
  const std::size_t data = npy + 10 + number(npy + 8);
  const std::size_t end = std::min(npz.find("PK\x03\x04", data), npz.find("PK\x01\x02", data));
  std::vector<T> values((end - data) / sizeof(T));
  std::memcpy(values.data(), npz.data() + data, values.size() * sizeof(T));
  return values;
}

TEST(Books, LogitsAreThoseOfPyTorchCausalAndFull) {
  const std::filesystem::path folder =
      std::filesystem::path(AIOS_SHARED_DIR) / "models" / "books-6m";
  if (!std::filesystem::exists(folder / "expected.npz")) {
    GTEST_SKIP() << "../shared/models/books-6m is not there";
  }
  constexpr std::size_t kMaxBytes = std::size_t{1} << 20;
  const std::string npz = read_text_file((folder / "expected.npz").string(), kMaxBytes);
  const std::string config = read_text_file((folder / "config.json").string(), kMaxBytes);
  const auto weights = WeightLoader::open(folder.string());
  const InferenceCore core(parse_model_spec(config), *weights, parity::make_backend(2));

  for (const AttentionKind kind : {AttentionKind::kCausal, AttentionKind::kFull}) {
    const std::string name = attention_kind_name(kind);
    const auto wide_ids = read_npz_array<int64_t>(npz, name + "_input_ids");
    const std::vector<int32_t> ids(wide_ids.begin(), wide_ids.end());
    const auto expected = read_npz_array<float>(npz, name + "_logits");
    const std::vector<float> logits = parity::all_rows(core, {{ids, nullptr}}, kind);
    ASSERT_EQ(logits.size(), expected.size());
    float largest = 0;
    float error = 0;
    for (std::size_t i = 0; i < expected.size(); ++i) {
      largest = std::max(largest, std::abs(expected[i]));
      error = std::max(error, std::abs(logits[i] - expected[i]));
    }
    EXPECT_LE(error, parity::kTolerance * largest) << name;
    RecordProperty(name, std::to_string(error / largest));
  }
}

}  // namespace
}  // namespace aios
