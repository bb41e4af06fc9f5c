// A library with the entry points of every GPU driver, for the tests of the probes: two devices
// each, of which Vulkan's second is a software renderer. Written from the drivers' documentation,
// not from our declarations of them. FAKE_DRIVER_STATUS in the environment makes every call fail.
#include <cstdint>
#include <cstdlib>
#include <cstring>

namespace {

int status() {
  const char* text = std::getenv("FAKE_DRIVER_STATUS");
  return text == nullptr ? 0 : std::atoi(text);
}

int name_device(char* name, int length, int device) {
  std::strncpy(name, device == 0 ? "Fake GPU 0" : "Fake GPU 1", static_cast<std::size_t>(length));
  return status();
}

int list_two(uint32_t* count, void** handles) {
  static char objects[2];
  for (uint32_t i = 0; handles != nullptr && i < *count; ++i) handles[i] = &objects[i];
  *count = 2;
  return status();
}

}  // namespace

extern "C" {

int cuInit(unsigned flags) { return flags == 0 ? status() : 1; }
int cuDeviceGetCount(int* count) { return *count = 2, status(); }
int cuDeviceGet(int* device, int ordinal) { return *device = ordinal, status(); }
int cuDeviceGetName(char* name, int length, int device) {
  return name_device(name, length, device);
}

int hipInit(unsigned flags) { return flags == 0 ? status() : 1; }
int hipGetDeviceCount(int* count) { return *count = 2, status(); }
int hipDeviceGet(int* device, int ordinal) { return *device = ordinal, status(); }
int hipDeviceGetName(char* name, int length, int device) {
  return name_device(name, length, device);
}

int zeInit(uint32_t) { return status(); }
int zeDriverGet(uint32_t* count, void** drivers) {
  if (drivers != nullptr) drivers[0] = &drivers[0];
  *count = 1;
  return status();
}
int zeDeviceGet(void*, uint32_t* count, void** devices) { return list_two(count, devices); }

int vkCreateInstance(const int32_t* info, const void*, void** instance) {
  *instance = instance;
  return info[0] == 1 ? status() : -1;  // VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO
}
void vkDestroyInstance(void*, const void*) {}
int vkEnumeratePhysicalDevices(void*, uint32_t* count, void** devices) {
  return list_two(count, devices);
}
void vkGetPhysicalDeviceProperties(void* device, char* properties) {
  static void* software = nullptr;
  void* devices[2];
  uint32_t count = 2;
  list_two(&count, devices);
  software = devices[1];
  std::memset(properties, 0, 824);                  // sizeof(VkPhysicalDeviceProperties)
  const int32_t type = device == software ? 4 : 2;  // CPU, discrete GPU
  std::memcpy(properties + 16, &type, sizeof(type));
  std::strcpy(properties + 20, type == 4 ? "Fake renderer" : "Fake GPU 0");
}

}  // extern "C"
