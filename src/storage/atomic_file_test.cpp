#include "storage/atomic_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <functional>
#include <thread>

#include "aios/error.h"
#include "storage/parquet_reader.h"
#include "storage/parquet_writer.h"
#include "storage/safetensors_reader.h"
#include "storage/safetensors_writer.h"
#include "storage/storage_test_support.h"

namespace aios {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using namespace storage_test;

TensorView model_tensor(uint32_t seed) {
  const auto bytes = pattern(100'000, seed);
  return tensor_of<uint8_t>(DType::kU8, {static_cast<int64_t>(bytes.size())}, bytes);
}

void write_parquet_model(const std::string& path, uint32_t seed) {
  ParquetModelWriter writer(path);
  for (uint32_t i = 0; i < 4; ++i) writer.add(std::to_string(i), model_tensor(seed + i));
  writer.finish();
}

void write_safetensors_model(const std::string& path, uint32_t seed) {
  std::vector<NamedTensor> tensors;
  for (uint32_t i = 0; i < 4; ++i) tensors.push_back({std::to_string(i), model_tensor(seed + i)});
  write_safetensors(path, tensors);
}

/// Is the file whole, with tensors of one and the same seed?
bool is_whole(const WeightLoader& loader) {
  loader.verify();
  for (uint32_t seed = 0; seed < 100; seed += 10) {
    if (!same_bytes(loader.tensor("0"), model_tensor(seed))) continue;
    for (uint32_t i = 1; i < 4; ++i) {
      if (!same_bytes(loader.tensor(std::to_string(i)), model_tensor(seed + i))) return false;
    }
    return true;
  }
  return false;
}

/// Runs `body` in a process of its own. @return its process id
pid_t start_child(const std::function<int()>& body) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(body());
  return child;
}

class AtomicFileTest : public FolderTest {
 protected:
  /// Every file length that is too short for a model of seed 10: an IoError, nothing left behind,
  /// the model of seed 0 untouched. A limit on file sizes stands for the full disk: both fail a
  /// write in its middle.
  void expect_full_disk_leaves_the_old_file(const std::string& name,
                                            void (*write_model)(const std::string&,
                                                                uint32_t)) const {
    write_model(path(name), 0);
    const std::string before = read_file(path(name));
    const pid_t child = start_child([&] {
      std::signal(SIGXFSZ, SIG_IGN);
      for (rlim_t limit = 0; limit < before.size(); limit += 10'007) {
        const rlimit file_size{limit, RLIM_INFINITY};
        ::setrlimit(RLIMIT_FSIZE, &file_size);
        const std::string message = message_of<IoError>([&] { write_model(path(name), 10); });
        if (message.find(name) == std::string::npos) return 1;
        if (message.find("free some space") == std::string::npos) return 2;
        if (files() != std::vector<std::string>{name}) return 3;
        if (read_file(path(name)) != before) return 4;
      }
      return 0;
    });
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status));
    EXPECT_EQ(WEXITSTATUS(status), 0);
  }

  /// Kills a process that replaces the file again and again, at 30 different moments.
  template <typename Reader>
  void expect_kills_leave_a_whole_file(const std::string& name,
                                       void (*write_model)(const std::string&, uint32_t)) const {
    write_model(path(name), 0);
    for (int i = 0; i < 30; ++i) {
      const pid_t child = start_child([&] {
        for (uint32_t seed = 10;; seed = seed % 90 + 10) write_model(path(name), seed);
        return 0;
      });
      std::this_thread::sleep_for(std::chrono::microseconds(500 + 777 * i));
      ::kill(child, SIGKILL);
      int status = 0;
      ASSERT_EQ(::waitpid(child, &status, 0), child);
      ASSERT_TRUE(WIFSIGNALED(status));
      EXPECT_TRUE(is_whole(Reader(path(name)))) << i;
    }
  }
};

TEST_F(AtomicFileTest, AppearsWithItsWholeContent) {
  AtomicFile file(path("a"));
  file.write("one ");
  file.write("two");
  EXPECT_EQ(file.position(), 7);
  EXPECT_FALSE(std::filesystem::exists(path("a")));
  file.commit();
  EXPECT_EQ(read_file(path("a")), "one two");
  EXPECT_THAT(files(), ElementsAre("a"));
}

TEST_F(AtomicFileTest, ReplacesTheOldFileAndLeavesItToThoseWhoHaveItOpen) {
  write("a", "old");
  std::ifstream open_before(path("a"));
  AtomicFile file(path("a"));
  file.write("new");
  EXPECT_EQ(read_file(path("a")), "old");
  file.commit();
  EXPECT_EQ(read_file(path("a")), "new");
  std::string word;
  open_before >> word;
  EXPECT_EQ(word, "old");
}

TEST_F(AtomicFileTest, IsGoneIfNotCommitted) {
  write("a", "old");
  {
    AtomicFile file(path("a"));
    file.write("new");
  }
  EXPECT_THAT(files(), ElementsAre("a"));
  EXPECT_EQ(read_file(path("a")), "old");
}

TEST_F(AtomicFileTest, SeveralWritersOfOneNameDoNotMeet) {
  AtomicFile first(path("a"));
  AtomicFile second(path("a"));
  first.write("first");
  second.write("second");
  second.commit();
  first.commit();
  EXPECT_EQ(read_file(path("a")), "first");
  EXPECT_THAT(files(), ElementsAre("a"));
}

TEST_F(AtomicFileTest, HasThePermissionsThatTheUmaskLeaves) {
  const mode_t umask_before = ::umask(027);
  AtomicFile file(path("a"));
  file.commit();
  ::umask(umask_before);
  struct stat status {};
  ASSERT_EQ(::stat(path("a").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0640U);
}

TEST_F(AtomicFileTest, AMissingFolderIsAnIoError) {
  EXPECT_THAT(message_of<IoError>([&] { AtomicFile file(path("absent/a")); }),
              AllOf(HasSubstr("cannot write"), HasSubstr("absent/a")));
}

TEST_F(AtomicFileTest, AFolderOfThatNameIsAnIoErrorAndStays) {
  std::filesystem::create_directory(path("a"));
  EXPECT_THAT(message_of<IoError>([&] { AtomicFile(path("a")).commit(); }),
              AllOf(HasSubstr("cannot write"), HasSubstr("directory")));
  EXPECT_THAT(files(), ElementsAre("a"));
}

TEST_F(AtomicFileTest, AFullDiskLeavesTheOldParquetFile) {
  expect_full_disk_leaves_the_old_file("weights.parquet", write_parquet_model);
}

TEST_F(AtomicFileTest, AFullDiskLeavesTheOldSafetensorsFile) {
  expect_full_disk_leaves_the_old_file("model.safetensors", write_safetensors_model);
}

TEST_F(AtomicFileTest, AKillAtAnyMomentLeavesAWholeParquetFile) {
  expect_kills_leave_a_whole_file<ParquetReader>("weights.parquet", write_parquet_model);
}

TEST_F(AtomicFileTest, AKillAtAnyMomentLeavesAWholeSafetensorsFile) {
  expect_kills_leave_a_whole_file<SafetensorsReader>("model.safetensors", write_safetensors_model);
}

}  // namespace
}  // namespace aios
