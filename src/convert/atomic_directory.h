/// A directory that appears whole or not at all.
///
/// Files are written into a hidden sibling, `.NAME.partial-N`; `commit` gives it the name in one
/// step. Until then, and after a kill at any moment, what was there before is as it was. A sibling
/// that a killed run left behind is removed by the next run for the same name. Not thread-safe.
#pragma once

#include <filesystem>
#include <string>

namespace aios {

class AtomicDirectory {
 public:
  /// Creates the sibling. @throws IoError
  explicit AtomicDirectory(const std::string& path);
  AtomicDirectory(const AtomicDirectory&) = delete;
  AtomicDirectory& operator=(const AtomicDirectory&) = delete;
  /// Removes the sibling if `commit` was not reached.
  ~AtomicDirectory();

  /// Where to write.
  [[nodiscard]] const std::filesystem::path& partial() const noexcept { return partial_; }

  /// Makes the directory's entries durable and gives it its name; a directory that had the name is
  /// removed. The files in it must be durable already.
  /// @throws IoError; the old directory is then still there
  void commit();

 private:
  void remove_leftovers() const;

  std::filesystem::path path_;
  std::filesystem::path partial_;
  int lock_ = -1;  // held on the sibling: tells a living run from a killed one
};

}  // namespace aios
