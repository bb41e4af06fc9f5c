/// What this machine can compute on, found at run time.
///
/// Nothing is linked: drivers are looked for with dlopen, so one binary runs everywhere. Safe to
/// call from any thread.
#pragma once

#include <string>
#include <vector>

namespace aios {

enum class DeviceKind { kCpu, kCuda, kRocm, kXpu, kMps, kVulkan };

struct Device {
  DeviceKind kind = DeviceKind::kCpu;
  std::string name;          ///< `cpu`, `cuda`, `rocm`, `xpu`, `mps`, `vulkan`
  bool present = false;      ///< the hardware and its driver answered
  bool can_compute = false;  ///< this build has a backend for it
  std::string description;   ///< model, cores, instruction sets, memory
  std::string reason;        ///< why it is absent or cannot compute; empty when it can
};

/// One row for each `DeviceKind`, in that order.
std::vector<Device> detect_devices();

/// The device called `name`, or the best one for `auto`.
/// @throws DeviceError naming the cure, if it is unknown, absent or cannot compute.
Device choose_device(const std::string& name);

}  // namespace aios
