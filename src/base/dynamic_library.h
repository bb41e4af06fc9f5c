/// A shared library looked for at run time, closed when this object ends. Move-only owner.
#pragma once

#include <memory>
#include <string>

namespace aios {

class DynamicLibrary {
 public:
  /// Opens `name` by the loader's rules. `!library` if it is not there; see `error()`.
  explicit DynamicLibrary(const std::string& name);

  explicit operator bool() const noexcept { return handle_ != nullptr; }
  [[nodiscard]] const std::string& error() const noexcept { return error_; }

  /// The C function called `name`, or null. `Function` is its type, e.g. `int(int*)`.
  template <typename Function>
  [[nodiscard]] Function* find(const char* name) const noexcept {
    return reinterpret_cast<Function*>(find_address(name));
  }

 private:
  struct Close {
    void operator()(void* handle) const noexcept;
  };
  [[nodiscard]] void* find_address(const char* name) const noexcept;

  std::unique_ptr<void, Close> handle_;
  std::string error_;
};

}  // namespace aios
