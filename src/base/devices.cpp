#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <fstream>

#include "aios/device.h"
#include "aios/error.h"
#include "base/cpu_features.h"
#include "base/gpu_probes.h"

namespace aios {
namespace {

struct GpuKind {
  DeviceKind kind;
  const char* name;
  ProbeResult (*probe)();
  const char* cure;  // for one that is absent
};

constexpr std::array<GpuKind, 5> kGpuKinds{{
    {DeviceKind::kCuda, "cuda", [] { return probe_cuda(); }, "install the NVIDIA driver"},
    {DeviceKind::kRocm, "rocm", [] { return probe_rocm(); }, "install AMD's ROCm runtime"},
    {DeviceKind::kXpu, "xpu", [] { return probe_level_zero(); },
     "install Intel's Level Zero loader and GPU driver"},
    {DeviceKind::kMps, "mps", [] { return probe_metal(); }, "run on a Mac"},
    {DeviceKind::kVulkan, "vulkan", [] { return probe_vulkan(); },
     "install a Vulkan loader and driver"},
}};

std::string processor_name() {
  std::ifstream cpuinfo("/proc/cpuinfo");
  for (std::string line; std::getline(cpuinfo, line);) {
    if (!line.starts_with("model name")) continue;
    const std::size_t colon = line.find(": ");
    if (colon != std::string::npos) return line.substr(colon + 2);
  }
  return "processor";
}

std::string memory_size() {
  const double bytes =
      static_cast<double>(::sysconf(_SC_PHYS_PAGES)) * static_cast<double>(::sysconf(_SC_PAGESIZE));
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.1f GiB", bytes / (1024.0 * 1024.0 * 1024.0));
  return text.data();
}

Device cpu_device() {
  const int num_cores = num_physical_cores();
  return {.kind = DeviceKind::kCpu,
          .name = "cpu",
          .present = true,
          .can_compute = true,
          .description = processor_name() + ", " + std::to_string(num_cores) +
                         (num_cores == 1 ? " core, " : " cores, ") +
                         std::string(isa_name(detect_isa())) + ", " + memory_size(),
          .reason = ""};
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

Device gpu_device(const GpuKind& gpu) {
  const ProbeResult probed = gpu.probe();
  const bool present = !probed.device_names.empty();
  return {.kind = gpu.kind,
          .name = gpu.name,
          .present = present,
          .can_compute = false,
          .description = joined(probed.device_names),
          .reason =
              present ? "this build has no " + std::string(gpu.name) + " backend" : probed.reason};
}

}  // namespace

std::vector<Device> detect_devices() {
  std::vector<Device> devices{cpu_device()};
  for (const GpuKind& gpu : kGpuKinds) devices.push_back(gpu_device(gpu));
  return devices;
}

Device choose_device(const std::string& name) {
  if (name == "auto" || name == "cpu") return cpu_device();
  for (const GpuKind& gpu : kGpuKinds) {
    if (name != gpu.name) continue;
    const Device device = gpu_device(gpu);
    const std::string cure = device.present ? "" : std::string(gpu.cure) + ", or ";
    throw DeviceError("device '" + name + "' cannot compute (" + device.reason + "): " + cure +
                      "use 'cpu' or 'auto'");
  }
  throw DeviceError("unknown device '" + name + "': use auto, cpu, cuda, rocm, xpu, mps or vulkan");
}

}  // namespace aios
