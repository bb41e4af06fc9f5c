#include <array>
#include <cstdint>
#include <type_traits>

#include "base/dynamic_library.h"
#include "base/gpu_probes.h"

namespace aios {
namespace {

// What is needed of vulkan_core.h: layouts are frozen by the Vulkan 1.0 specification.
using Instance = struct OpaqueInstance*;
using PhysicalDevice = struct OpaquePhysicalDevice*;

struct InstanceCreateInfo {
  int32_t structure_type = 1;  // VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO
  const void* next = nullptr;
  uint32_t flags = 0;
  const void* application_info = nullptr;
  uint32_t num_layers = 0;
  const char* const* layer_names = nullptr;
  uint32_t num_extensions = 0;
  const char* const* extension_names = nullptr;
};
static_assert(sizeof(InstanceCreateInfo) == 64);

struct PhysicalDeviceProperties {
  uint32_t api_version = 0;
  uint32_t driver_version = 0;
  uint32_t vendor_id = 0;
  uint32_t device_id = 0;
  int32_t device_type = 0;
  std::array<char, 256> device_name{};
  alignas(8) std::array<std::byte, 548> unused{};  // cache UUID, limits, sparse properties
};
static_assert(sizeof(PhysicalDeviceProperties) >= 824);

constexpr int32_t kSoftwareRenderer = 4;  // VK_PHYSICAL_DEVICE_TYPE_CPU
constexpr int kSuccess = 0;

struct VulkanFunctions {
  int (*create_instance)(const InstanceCreateInfo*, const void*, Instance*);
  void (*destroy_instance)(Instance, const void*);
  int (*enumerate_devices)(Instance, uint32_t*, PhysicalDevice*);
  void (*get_properties)(PhysicalDevice, PhysicalDeviceProperties*);

  explicit VulkanFunctions(const DynamicLibrary& library) {
    const auto load = [&](auto*& function, const char* name) {
      function = library.find<std::remove_reference_t<decltype(*function)>>(name);
    };
    load(create_instance, "vkCreateInstance");
    load(destroy_instance, "vkDestroyInstance");
    load(enumerate_devices, "vkEnumeratePhysicalDevices");
    load(get_properties, "vkGetPhysicalDeviceProperties");
  }
  explicit operator bool() const noexcept {
    return create_instance != nullptr && destroy_instance != nullptr &&
           enumerate_devices != nullptr && get_properties != nullptr;
  }
};

ProbeResult list_devices(const VulkanFunctions& vulkan, Instance instance) {
  uint32_t count = 0;
  int status = vulkan.enumerate_devices(instance, &count, nullptr);
  std::vector<PhysicalDevice> devices(count);
  if (status == kSuccess) status = vulkan.enumerate_devices(instance, &count, devices.data());
  if (status != kSuccess) {
    return {{}, "vkEnumeratePhysicalDevices failed with status " + std::to_string(status)};
  }
  devices.resize(count);
  ProbeResult result;
  for (const PhysicalDevice device : devices) {
    PhysicalDeviceProperties properties;
    vulkan.get_properties(device, &properties);
    if (properties.device_type == kSoftwareRenderer) continue;
    properties.device_name.back() = '\0';
    result.device_names.emplace_back(properties.device_name.data());
  }
  if (result.device_names.empty()) result.reason = "Vulkan is installed but found no GPU";
  return result;
}

}  // namespace

ProbeResult probe_vulkan(const std::string& library_name) {
  const DynamicLibrary library(library_name);
  if (!library) return {{}, library.error()};
  const VulkanFunctions vulkan(library);
  if (!vulkan) return {{}, library_name + " lacks the functions of its interface"};
  const InstanceCreateInfo create_info;
  Instance instance = nullptr;
  if (const int status = vulkan.create_instance(&create_info, nullptr, &instance);
      status != kSuccess) {
    return {{}, "vkCreateInstance failed with status " + std::to_string(status)};
  }
  ProbeResult result = list_devices(vulkan, instance);
  vulkan.destroy_instance(instance, nullptr);
  return result;
}

}  // namespace aios
