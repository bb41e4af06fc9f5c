#include "base/gpu_probes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

namespace aios {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

using Probe = ProbeResult (*)(const std::string&);
constexpr Probe kProbes[] = {probe_cuda, probe_rocm, probe_level_zero, probe_vulkan};

TEST(GpuProbes, ListTheDevicesOfADriver) {
  EXPECT_THAT(probe_cuda(AIOS_FAKE_DRIVERS).device_names, ElementsAre("Fake GPU 0", "Fake GPU 1"));
  EXPECT_THAT(probe_rocm(AIOS_FAKE_DRIVERS).device_names, ElementsAre("Fake GPU 0", "Fake GPU 1"));
  EXPECT_THAT(probe_level_zero(AIOS_FAKE_DRIVERS).device_names,
              ElementsAre("Intel GPU", "Intel GPU"));
}

TEST(GpuProbes, VulkanLeavesOutSoftwareRenderers) {
  EXPECT_THAT(probe_vulkan(AIOS_FAKE_DRIVERS).device_names, ElementsAre("Fake GPU 0"));
}

TEST(GpuProbes, ReportTheStatusOfADriverThatFails) {
  ::setenv("FAKE_DRIVER_STATUS", "100", 1);
  for (const Probe probe : kProbes) {
    const ProbeResult result = probe(AIOS_FAKE_DRIVERS);
    EXPECT_THAT(result.device_names, IsEmpty());
    EXPECT_THAT(result.reason, HasSubstr("failed with status 100"));
  }
  ::unsetenv("FAKE_DRIVER_STATUS");
}

TEST(GpuProbes, ReportAMissingLibrary) {
  for (const Probe probe : kProbes) {
    const ProbeResult result = probe("libno_such_driver.so.9");
    EXPECT_THAT(result.device_names, IsEmpty());
    EXPECT_THAT(result.reason, HasSubstr("libno_such_driver.so.9"));
  }
}

TEST(GpuProbes, ReportALibraryOfAnotherInterface) {
  for (const Probe probe : kProbes) {
    const ProbeResult result = probe("libm.so.6");
    EXPECT_THAT(result.device_names, IsEmpty());
    EXPECT_THAT(result.reason, HasSubstr("lacks the functions"));
  }
}

}  // namespace
}  // namespace aios
