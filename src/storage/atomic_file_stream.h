/// An `AtomicFile` as an Arrow output stream. Inside `storage` only.
#pragma once

#include <arrow/io/interfaces.h>
#include <arrow/result.h>
#include <arrow/status.h>

#include "aios/error.h"
#include "storage/atomic_file.h"

namespace aios {

/// Borrows the file, which the owner commits. A failed write becomes a Status with its message.
class AtomicFileStream final : public arrow::io::OutputStream {
 public:
  explicit AtomicFileStream(AtomicFile& file) : file_(file) {}

  arrow::Status Close() override {
    closed_ = true;
    return arrow::Status::OK();
  }
  [[nodiscard]] bool closed() const override { return closed_; }
  [[nodiscard]] arrow::Result<int64_t> Tell() const override { return file_.position(); }

  using arrow::io::OutputStream::Write;
  arrow::Status Write(const void* data, int64_t num_bytes) override {
    try {
      file_.write({static_cast<const std::byte*>(data), static_cast<std::size_t>(num_bytes)});
    } catch (const Error& error) {
      return arrow::Status::IOError(error.what());
    }
    return arrow::Status::OK();
  }

 private:
  AtomicFile& file_;
  bool closed_ = false;
};

}  // namespace aios
