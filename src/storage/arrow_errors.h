/// Turns what Arrow and Parquet report into this project's errors. Inside `storage` only.
#pragma once

#include <arrow/status.h>
#include <parquet/exception.h>

#include <algorithm>
#include <exception>
#include <new>
#include <string>
#include <utility>

#include "aios/error.h"

namespace aios {

/// A foreign message without its line breaks: ours are one line.
inline std::string one_line(std::string message) {
  const auto is_break = [](char c) { return c == '\n' || c == '\r'; };
  std::replace_if(message.begin(), message.end(), is_break, ' ');
  message.erase(message.find_last_not_of(' ') + 1);
  return message;
}

/// Runs `read`; whatever the libraries throw means that the file is bad.
template <typename Read>
decltype(auto) reading_parquet(const std::string& path, Read&& read) {
  try {
    return std::forward<Read>(read)();
  } catch (const Error&) {
    throw;
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception& error) {
    throw FormatError("'" + path + "' is no sound Parquet file: " + one_line(error.what()) +
                      "; fetch or convert it again");
  }
}

/// Runs `write`; a Status carries the IoError's own message out of the stream.
template <typename Write>
decltype(auto) writing_parquet(const std::string& path, Write&& write) {
  try {
    return std::forward<Write>(write)();
  } catch (const parquet::ParquetStatusException& error) {
    throw IoError(error.status().message());
  } catch (const parquet::ParquetException& error) {
    throw IoError("cannot write '" + path + "': " + one_line(error.what()));
  }
}

}  // namespace aios
