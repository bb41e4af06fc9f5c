/// Asks the drivers of GPUs which devices they have. Each probe opens a driver's library by name,
/// calls its C functions and closes it. Safe to call from any thread.
#pragma once

#include <string>
#include <vector>

namespace aios {

/// What a driver answered: devices, or why there are none.
struct ProbeResult {
  std::vector<std::string> device_names;
  std::string reason;  ///< empty exactly when there are devices
};

ProbeResult probe_cuda(const std::string& library = "libcuda.so.1");
ProbeResult probe_rocm(const std::string& library = "libamdhip64.so");
ProbeResult probe_level_zero(const std::string& library = "libze_loader.so.1");
ProbeResult probe_metal();
ProbeResult probe_vulkan(const std::string& library = "libvulkan.so.1");

}  // namespace aios
