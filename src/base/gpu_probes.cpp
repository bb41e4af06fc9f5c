#include "base/gpu_probes.h"

#include <array>
#include <cstdint>

#include "base/dynamic_library.h"

// The declarations below are those of the drivers' C interfaces, which are stable: cuda.h (CUDA
// driver API), hip_runtime_api.h (HIP), ze_api.h (oneAPI Level Zero), vulkan_core.h. Status 0 is
// success in all of them.
namespace aios {
namespace {

ProbeResult absent(std::string reason) { return {{}, std::move(reason)}; }
ProbeResult incomplete(const std::string& library) {
  return absent(library + " lacks the functions of its interface");
}
ProbeResult failed(const std::string& call, int status) {
  return absent(call + " failed with status " + std::to_string(status));
}
ProbeResult result_of(std::vector<std::string> names, const std::string& driver) {
  if (names.empty()) return absent(driver + " is installed but found no device");
  return {std::move(names), ""};
}

/// CUDA's and HIP's driver interfaces differ only in their prefix here.
ProbeResult probe_cuda_like(const std::string& library_name, const std::string& prefix) {
  const DynamicLibrary library(library_name);
  if (!library) return absent(library.error());
  const std::string init_name = prefix + "Init";
  const std::string count_name = prefix + (prefix == "cu" ? "DeviceGetCount" : "GetDeviceCount");
  auto* const init = library.find<int(unsigned)>(init_name.c_str());
  auto* const get_count = library.find<int(int*)>(count_name.c_str());
  auto* const get_device = library.find<int(int*, int)>((prefix + "DeviceGet").c_str());
  auto* const get_name = library.find<int(char*, int, int)>((prefix + "DeviceGetName").c_str());
  if (init == nullptr || get_count == nullptr || get_device == nullptr || get_name == nullptr) {
    return incomplete(library_name);
  }
  if (const int status = init(0); status != 0) return failed(init_name, status);
  int count = 0;
  if (const int status = get_count(&count); status != 0) return failed(count_name, status);
  std::vector<std::string> names;
  for (int ordinal = 0; ordinal < count; ++ordinal) {
    int device = 0;
    std::array<char, 256> name{};
    const bool named = get_device(&device, ordinal) == 0 &&
                       get_name(name.data(), static_cast<int>(name.size() - 1), device) == 0;
    names.emplace_back(named ? name.data() : "unnamed device");
  }
  return result_of(std::move(names), library_name);
}

}  // namespace

ProbeResult probe_cuda(const std::string& library) { return probe_cuda_like(library, "cu"); }

ProbeResult probe_rocm(const std::string& library) { return probe_cuda_like(library, "hip"); }

ProbeResult probe_level_zero(const std::string& library_name) {
  using Handle = struct OpaqueHandle*;
  constexpr uint32_t kGpuOnly = 1;  // ZE_INIT_FLAG_GPU_ONLY
  const DynamicLibrary library(library_name);
  if (!library) return absent(library.error());
  auto* const init = library.find<int(uint32_t)>("zeInit");
  auto* const get_drivers = library.find<int(uint32_t*, Handle*)>("zeDriverGet");
  auto* const get_devices = library.find<int(Handle, uint32_t*, Handle*)>("zeDeviceGet");
  if (init == nullptr || get_drivers == nullptr || get_devices == nullptr) {
    return incomplete(library_name);
  }
  if (const int status = init(kGpuOnly); status != 0) return failed("zeInit", status);
  uint32_t num_drivers = 0;
  if (const int status = get_drivers(&num_drivers, nullptr); status != 0) {
    return failed("zeDriverGet", status);
  }
  std::vector<Handle> drivers(num_drivers);
  if (const int status = get_drivers(&num_drivers, drivers.data()); status != 0) {
    return failed("zeDriverGet", status);
  }
  std::vector<std::string> names;
  for (const Handle driver : drivers) {
    uint32_t num_devices = 0;
    if (get_devices(driver, &num_devices, nullptr) != 0) continue;
    names.insert(names.end(), num_devices, "Intel GPU");
  }
  return result_of(std::move(names), library_name);
}

ProbeResult probe_metal() {
#if defined(__APPLE__)
  const DynamicLibrary library("/System/Library/Frameworks/Metal.framework/Metal");
  if (!library) return absent(library.error());
  auto* const create = library.find<void*()>("MTLCreateSystemDefaultDevice");
  if (create == nullptr) return incomplete("Metal");
  if (create() == nullptr) return result_of({}, "Metal");
  return {{"Apple GPU"}, ""};
#else
  return absent("Metal exists only on macOS");
#endif
}

}  // namespace aios
