/// The right to write to a store: one process, and in it one object, at a time.
#pragma once

#include <string>

namespace aios {

/// Held while it lives; the system takes it back when the process ends, however it ends.
class WriterLock {
 public:
  /// Takes the lock of the store in `directory`, waiting up to `timeout` seconds.
  /// @throws StorageError naming the process that holds it; IoError
  WriterLock(const std::string& directory, double timeout);
  WriterLock(const WriterLock&) = delete;
  WriterLock& operator=(const WriterLock&) = delete;
  ~WriterLock();

 private:
  int descriptor_ = -1;
};

}  // namespace aios
