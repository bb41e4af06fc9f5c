#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "aios/error.h"
#include "aios/model_files.h"
#include "storage/weight_loader.h"

namespace aios {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;
namespace fs = std::filesystem;

class ExportModel : public testing::Test {
 protected:
  ExportModel() {
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  ~ExportModel() override { fs::remove_all(folder_); }

  [[nodiscard]] std::string path(const char* name) const { return folder_ / name; }

  const std::string source_ =
      std::string(AIOS_SOURCE_DIR) + "/tests/parity/fixtures/dream_dual_mode";
  const fs::path folder_ =
      fs::path(testing::TempDir()) /
      (std::string("export_") + testing::UnitTest::GetInstance()->current_test_info()->name());
};

std::string bytes_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST_F(ExportModel, GivesBackEveryTensorAndFile) {
  convert_model(source_, path("v2"));
  std::vector<int64_t> progress;
  ExportOptions options;
  options.progress = [&](int64_t done, int64_t) { progress.push_back(done); };
  const ConvertReport report = export_model(path("v2"), path("out"), options);
  const auto before = WeightLoader::open(source_);
  const auto after = WeightLoader::open(path("out"));
  EXPECT_EQ(after->format(), "safetensors");
  ASSERT_EQ(std::ssize(after->tensors()), std::ssize(before->tensors()));
  for (const TensorInfo& info : before->tensors()) {
    const TensorView expected = before->tensor(info.name);
    const TensorView actual = after->tensor(info.name);
    EXPECT_EQ(actual.dtype, expected.dtype);
    EXPECT_EQ(actual.shape, expected.shape);
    EXPECT_TRUE(std::equal(actual.data, actual.data + actual.num_bytes, expected.data,
                           expected.data + expected.num_bytes))
        << info.name;
  }
  EXPECT_EQ(bytes_of(path("out/config.json")), bytes_of(source_ + "/config.json"));
  EXPECT_FALSE(fs::exists(path("out/metadata.json")));  // V2's own
  EXPECT_EQ(progress.back(), report.input_bytes);
  EXPECT_EQ(report.num_tensors, std::ssize(before->tensors()));
}

TEST_F(ExportModel, LeavesNothingWhenCancelled) {
  ExportOptions options;
  options.cancellation.cancel();
  EXPECT_THROW(export_model(source_, path("out"), options), CancelledError);
  EXPECT_TRUE(fs::is_empty(folder_));
}

TEST_F(ExportModel, RefusesWhatIsNoModelAndWhatIsThere) {
  fs::create_directories(path("empty"));
  EXPECT_THAT([&] { export_model(path("empty"), path("out")); },
              ThrowsMessage<FormatError>(HasSubstr("no config.json")));
  EXPECT_FALSE(fs::exists(path("out")));
  export_model(source_, path("out"));
  EXPECT_THAT([&] { export_model(source_, path("out")); },
              ThrowsMessage<IoError>(HasSubstr("--overwrite")));
  ExportOptions options;
  options.overwrite = true;
  std::ofstream(path("out/model.safetensors")) << "damaged";
  export_model(source_, path("out"), options);
  EXPECT_EQ(WeightLoader::open(path("out"))->tensors().size(),
            WeightLoader::open(source_)->tensors().size());
}

}  // namespace
}  // namespace aios
