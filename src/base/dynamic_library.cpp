#include "base/dynamic_library.h"

#include <dlfcn.h>

namespace aios {

DynamicLibrary::DynamicLibrary(const std::string& name)
    : handle_(::dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL)) {
  if (handle_ != nullptr) return;
  const char* const reason = ::dlerror();
  error_ = reason == nullptr ? name + " cannot be opened" : reason;
}

void* DynamicLibrary::find_address(const char* name) const noexcept {
  return ::dlsym(handle_.get(), name);
}

void DynamicLibrary::Close::operator()(void* handle) const noexcept { ::dlclose(handle); }

}  // namespace aios
