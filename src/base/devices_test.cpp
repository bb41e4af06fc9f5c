#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "aios/device.h"
#include "aios/error.h"
#include "base/cpu_features.h"

namespace aios {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

std::string refusal_of(const std::string& name) {
  try {
    choose_device(name);
  } catch (const DeviceError& error) {
    return error.what();
  }
  return "no error";
}

TEST(Devices, OneRowForEachKindInOrder) {
  const std::vector<Device> devices = detect_devices();
  std::vector<std::string> names;
  for (std::size_t i = 0; i < devices.size(); ++i) {
    EXPECT_EQ(static_cast<std::size_t>(devices[i].kind), i);
    names.push_back(devices[i].name);
  }
  EXPECT_EQ(names, (std::vector<std::string>{"cpu", "cuda", "rocm", "xpu", "mps", "vulkan"}));
}

TEST(Devices, EveryRowSaysWhatIsThereOrWhyNot) {
  for (const Device& device : detect_devices()) {
    EXPECT_EQ(device.present, !device.description.empty()) << device.name;
    EXPECT_EQ(device.can_compute, device.reason.empty()) << device.name;
  }
}

TEST(Devices, TheCpuComputes) {
  for (const char* name : {"auto", "cpu"}) {
    const Device device = choose_device(name);
    EXPECT_EQ(device.name, "cpu");
    EXPECT_TRUE(device.present && device.can_compute);
    EXPECT_THAT(device.description, HasSubstr(isa_name(detect_isa())));
  }
}

TEST(Devices, RefusesADeviceThatCannotCompute) {
  for (const char* name : {"cuda", "rocm", "xpu", "mps", "vulkan"}) {
    EXPECT_THAT(refusal_of(name), AllOf(HasSubstr(name), HasSubstr("cannot compute"),
                                        HasSubstr("use 'cpu' or 'auto'")));
  }
}

TEST(Devices, RefusesAnUnknownDevice) {
  EXPECT_THAT(refusal_of("gpu"), AllOf(HasSubstr("'gpu'"), HasSubstr("cuda"), HasSubstr("vulkan")));
}

}  // namespace
}  // namespace aios
