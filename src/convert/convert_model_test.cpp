#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "aios/engine.h"
#include "aios/error.h"
#include "aios/model_files.h"
#include "convert/model_directory.h"
#include "storage/safetensors_writer.h"
#include "storage/weight_loader.h"

namespace aios {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::ThrowsMessage;
using testing::UnorderedElementsAre;
namespace fs = std::filesystem;

class ConvertModel : public testing::Test {
 protected:
  ConvertModel() {
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  ~ConvertModel() override { fs::remove_all(folder_); }

  [[nodiscard]] std::string out() const { return folder_ / "out"; }
  [[nodiscard]] auto converting(ConvertOptions options = {}) const {
    return [this, options] { convert_model(source_, out(), options); };
  }
  [[nodiscard]] std::vector<std::string> entries() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder_)) {
      names.push_back(entry.path().filename());
    }
    return names;
  }
  /// A copy of the source whose files may be changed.
  [[nodiscard]] std::string copy_of_source() const {
    fs::copy(source_, folder_ / "in", fs::copy_options::recursive);
    return folder_ / "in";
  }

  const std::string source_ =
      std::string(AIOS_SOURCE_DIR) + "/tests/parity/fixtures/dream_dual_mode";
  const fs::path folder_ =
      fs::path(testing::TempDir()) /
      (std::string("convert_") + testing::UnitTest::GetInstance()->current_test_info()->name());
};

std::vector<std::byte> bytes_of(const TensorView& tensor) {
  return {tensor.data, tensor.data + tensor.num_bytes};
}

TEST_F(ConvertModel, KeepsEveryTensor) {
  std::vector<int64_t> progress;
  ConvertOptions options;
  options.progress = [&](int64_t done, int64_t) { progress.push_back(done); };
  const ConvertReport report = convert_model(source_, out(), options);
  const auto before = WeightLoader::open(source_);
  const auto after = WeightLoader::open(out());
  EXPECT_EQ(after->format(), "parquet_v2");
  ASSERT_EQ(report.num_tensors, std::ssize(before->tensors()));
  ASSERT_EQ(std::ssize(after->tensors()), report.num_tensors);
  for (const TensorInfo& info : before->tensors()) {
    const TensorView expected = before->tensor(info.name);
    const TensorView actual = after->tensor(info.name);
    EXPECT_EQ(actual.dtype, expected.dtype);
    EXPECT_EQ(actual.shape, expected.shape);
    EXPECT_EQ(bytes_of(actual), bytes_of(expected)) << info.name;
  }
  EXPECT_EQ(std::ssize(progress), report.num_tensors);
  EXPECT_EQ(progress.back(), report.input_bytes);
  EXPECT_EQ(report.bits_per_weight, 32);
}

TEST_F(ConvertModel, TokenizersOfAnyNameBelongToAModel) {
  for (const char* name : {"config.json", "spiece.model", "qwen.tiktoken", "weights.bin"}) {
    std::ofstream(folder_ / name) << name;
  }
  fs::create_directory(folder_ / "checkpoint.model");
  EXPECT_THAT(present_model_files(folder_),
              UnorderedElementsAre("config.json", "spiece.model", "qwen.tiktoken"));
}

TEST_F(ConvertModel, RoundsMatricesToNearestAndKeepsVectors) {
  ConvertOptions options;
  options.dtype = "bf16";
  convert_model(source_, out(), options);
  const auto before = WeightLoader::open(source_);
  const auto after = WeightLoader::open(out());
  for (const TensorInfo& info : before->tensors()) {
    const std::vector<float> expected = to_floats(before->tensor(info.name));
    const TensorView view = after->tensor(info.name);
    const std::vector<float> actual = to_floats(view);
    ASSERT_EQ(actual.size(), expected.size());
    const bool matrix = info.shape.size() == 2;
    EXPECT_EQ(view.dtype, matrix ? DType::kBF16 : DType::kF32) << info.name;
    for (std::size_t i = 0; i < actual.size(); ++i) {
      // bf16 has 8 significant bits: half a unit in the last place is at most 2^-9 of the value.
      EXPECT_LE(std::abs(actual[i] - expected[i]), matrix ? std::abs(expected[i]) * 0x1p-8 : 0);
    }
  }
}

TEST_F(ConvertModel, RefusesWhatF16CannotHold) {
  const std::string input = copy_of_source();
  const auto weights = WeightLoader::open(source_);
  std::vector<NamedTensor> tensors;
  std::vector<float> huge;
  for (const TensorInfo& info : weights->tensors()) {
    tensors.push_back({info.name, weights->tensor(info.name)});
    if (info.name != "model.embed_tokens.weight") continue;
    huge = to_floats(tensors.back().tensor);
    huge[3] = 70000.0F;
    tensors.back().tensor.data = reinterpret_cast<const std::byte*>(huge.data());
  }
  write_safetensors(input + "/model.safetensors", tensors);
  ConvertOptions options;
  options.dtype = "f16";
  EXPECT_THAT([&] { convert_model(input, out(), options); },
              ThrowsMessage<FormatError>(HasSubstr("'model.embed_tokens.weight' holds 70000")));
  EXPECT_THAT(entries(), UnorderedElementsAre("in"));
}

TEST_F(ConvertModel, ReplacesOnlyWhatItMay) {
  convert_model(source_, out());
  EXPECT_THAT(converting(), ThrowsMessage<IoError>(HasSubstr("--overwrite")));
  ConvertOptions options;
  options.overwrite = true;
  EXPECT_NO_THROW(convert_model(source_, out(), options));
  EXPECT_NO_THROW(convert_model(out(), out(), options));  // onto itself
  verify_model(out());
  fs::remove_all(out());
  fs::create_directories(out());
  EXPECT_NO_THROW(convert_model(source_, out()));  // an empty directory is as good as none
  EXPECT_THAT([&] { convert_model(out(), folder_, options); },
              ThrowsMessage<ConfigError>(HasSubstr("holds the input")));
  fs::remove(fs::path(out()) / "config.json");
  EXPECT_THAT(converting(options), ThrowsMessage<IoError>(HasSubstr("no model directory")));
  fs::remove_all(out());
  std::ofstream(out()) << "a file";
  EXPECT_THAT(converting(options), ThrowsMessage<IoError>(HasSubstr("no directory")));
  EXPECT_THAT(entries(), UnorderedElementsAre("out"));
}

TEST_F(ConvertModel, LeavesNothingWhenCancelled) {
  ConvertOptions options;
  options.progress = [&](int64_t, int64_t) { options.cancellation.cancel(); };
  EXPECT_THROW(convert_model(source_, out(), options), CancelledError);
  EXPECT_THAT(entries(), IsEmpty());
}

TEST_F(ConvertModel, RefusesAModelThatCannotRun) {
  const std::string input = copy_of_source();
  std::ofstream(input + "/config.json") << R"({"architectures": ["NoSuchModel"]})";
  EXPECT_THAT([&] { convert_model(input, out()); },
              ThrowsMessage<FormatError>(HasSubstr("NoSuchModel")));
  ConvertOptions options;
  options.dtype = "int3";
  EXPECT_THAT(converting(options), ThrowsMessage<ConfigError>(HasSubstr("keep|f32|bf16|f16")));
  EXPECT_THAT(entries(), UnorderedElementsAre("in"));
}

TEST_F(ConvertModel, RemovesWhatAKilledRunLeft) {
  fs::create_directories(folder_ / ".out.partial-1");
  std::ofstream(folder_ / ".out.partial-1" / "weights.parquet") << "half";
  fs::create_directories(folder_ / ".other.partial-1");
  convert_model(source_, out());
  EXPECT_THAT(entries(), UnorderedElementsAre("out", ".other.partial-1"));
}

TEST_F(ConvertModel, VerifyFindsEveryChangedFile) {
  convert_model(source_, out());
  const VerifyReport report = verify_model(out());
  EXPECT_GT(report.num_tensors, 0);
  int64_t num_bytes = 0;
  for (const auto& entry : fs::directory_iterator(out())) {
    if (entry.path().filename() == "metadata.json") continue;
    num_bytes += static_cast<int64_t>(entry.file_size());
    const auto size = static_cast<std::streamoff>(entry.file_size());
    for (const std::streamoff at : {std::streamoff{0}, size / 2, size - 1}) {
      std::fstream file(entry.path(), std::ios::in | std::ios::out | std::ios::binary);
      file.seekg(at);
      const auto good = static_cast<char>(file.get());
      file.seekp(at);
      file.put(static_cast<char>(good ^ 1));
      file.close();
      EXPECT_THROW(verify_model(out()), FormatError) << entry.path() << " at " << at;
      file.open(entry.path(), std::ios::in | std::ios::out | std::ios::binary);
      file.seekp(at);
      file.put(good);
    }
  }
  EXPECT_EQ(report.num_bytes, num_bytes);
  EXPECT_NO_THROW(verify_model(out()));
}

TEST_F(ConvertModel, VerifyRefusesStrangeMetadata) {
  convert_model(source_, out());
  const std::string path = out() + "/metadata.json";
  const auto verifying = [&] { verify_model(out()); };
  std::ofstream(path) << R"({"format_version": 3})";
  EXPECT_THAT(verifying, ThrowsMessage<FormatError>(HasSubstr("format_version 3 is not known")));
  std::ofstream(path) << R"({"format_version": 2, "sha256": {"../secret": "00"}})";
  EXPECT_THAT(verifying, ThrowsMessage<FormatError>(HasSubstr("outside of the directory")));
  std::ofstream(path) << R"({"format_version": 2, "sha256": {"absent": "00"}})";
  EXPECT_THAT(verifying, ThrowsMessage<FormatError>(HasSubstr("is missing")));
  std::ofstream(path) << R"({"format_version": 2, "sha256": 7})";
  EXPECT_THAT(verifying, ThrowsMessage<FormatError>(HasSubstr("'sha256' is 7")));
}

TEST_F(ConvertModel, InspectSaysWhatIsThere) {
  const ModelSummary summary = inspect_model(source_);
  EXPECT_EQ(summary.family, "dream");
  EXPECT_EQ(summary.format, "safetensors");
  EXPECT_THAT(summary.modes, UnorderedElementsAre("generate", "diffuse", "infill", "score"));
  int64_t num_parameters = 0;
  int64_t num_bytes = 0;
  for (const TensorSummary& tensor : summary.tensors) {
    int64_t count = 1;
    for (const int64_t extent : tensor.shape) count *= extent;
    num_parameters += count;
    num_bytes += tensor.num_bytes;
  }
  EXPECT_EQ(summary.num_parameters, num_parameters);
  EXPECT_EQ(summary.num_bytes, num_bytes);
}

}  // namespace
}  // namespace aios
