/// The errors that AI-OS Diffusion throws.
///
/// Every failure that a caller can meet is an exception rooted at `aios::Error`. A message is one
/// line that says what went wrong, where (file, flag, tensor, byte offset) and how to cure it. The
/// library never prints, exits or aborts. Exceptions are values: copy, rethrow and share freely
/// between threads.
#pragma once

#include <stdexcept>
#include <string>

namespace aios {

class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// An option, flag, YAML key or argument is unknown, out of range or contradicts another.
class ConfigError : public Error {
 public:
  using Error::Error;
};

/// The bytes of a file or a request do not follow their format.
class FormatError : public Error {
 public:
  using Error::Error;
};

/// The operating system refused to open, read, write, map or rename.
class IoError : public Error {
 public:
  using Error::Error;
};

/// A device or an instruction set was asked for that cannot compute here.
class DeviceError : public Error {
 public:
  using Error::Error;
};

/// A text cannot be turned into ids, or ids into text, by this tokenizer.
class TokenizerError : public Error {
 public:
  using Error::Error;
};

/// A loaded model cannot do what was asked of it (mode, length, token id, missing tensor).
class InferenceError : public Error {
 public:
  using Error::Error;
};

/// A memory store is locked by another writer, damaged, of a newer version, or its collection was
/// made for other embeddings.
class StorageError : public Error {
 public:
  using Error::Error;
};

/// A `CancellationToken` was triggered; no result was produced.
class CancelledError : public Error {
 public:
  using Error::Error;
};

}  // namespace aios
