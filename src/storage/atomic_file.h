/// A file that appears whole or not at all.
///
/// Bytes go to a temporary name in the same folder; `commit` makes them durable and gives them
/// their name in one step, replacing what was there. Until then, and after a kill at any moment,
/// the old file is what it was. Not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace aios {

/// Makes what was created, renamed and removed in `folder` survive a power failure.
/// @param path the file concerned, for the message @throws IoError
void sync_folder(const std::string& folder, const std::string& path);

class AtomicFile {
 public:
  /// Creates the temporary file (mode 0666 less the umask). @throws IoError
  explicit AtomicFile(std::string path);
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  /// Removes the temporary file if `commit` was not reached.
  ~AtomicFile();

  /// @throws IoError, e.g. when the disk is full
  void write(std::span<const std::byte> bytes);
  void write(std::string_view text) { write(std::as_bytes(std::span(text))); }

  /// Bytes written so far.
  [[nodiscard]] int64_t position() const noexcept { return position_; }
  [[nodiscard]] const std::string& path() const noexcept { return path_; }

  /// fsync, rename, fsync of the folder. Nothing may follow it.
  /// @throws IoError; the old file is then still there, unless only the folder's fsync failed
  void commit();

 private:
  std::string path_;
  std::string temporary_path_;
  int descriptor_ = -1;
  int64_t position_ = 0;
};

}  // namespace aios
