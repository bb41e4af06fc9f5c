/// Advanced SIMD of AArch64: four floats to a vector. The contract stands in isa_avx512.h.
#pragma once

#include <arm_neon.h>

#include <cstdint>

namespace aios {
namespace {

struct Neon {
  using Vector = float32x4_t;
  using Mask = uint32x4_t;
  static constexpr int kLanes = 4;
  static constexpr int kAccumulators = 24;
  static constexpr int kColumnVectors = 2;

  static Vector zero() noexcept { return vdupq_n_f32(0); }
  static Vector fill(float value) noexcept { return vdupq_n_f32(value); }
  static Vector lane_indices() noexcept {
    const float indices[kLanes] = {0, 1, 2, 3};
    return vld1q_f32(indices);
  }

  static Vector load(const float* address) noexcept { return vld1q_f32(address); }
  static Vector load_part(const float* address, int64_t count) noexcept {
    float values[kLanes] = {};
    for (int64_t i = 0; i < count; ++i) values[i] = address[i];
    return vld1q_f32(values);
  }
  static void store(float* address, Vector v) noexcept { vst1q_f32(address, v); }
  static void store_part(float* address, Vector v, int64_t count) noexcept {
    float values[kLanes];
    vst1q_f32(values, v);
    for (int64_t i = 0; i < count; ++i) address[i] = values[i];
  }
  static Vector load_bf16(const uint16_t* address) noexcept {
    return widen_bf16(vld1_u16(address));
  }
  static Vector load_bf16_part(const uint16_t* address, int64_t count) noexcept {
    return widen_bf16(load_words(address, count));
  }
  static Vector widen_first_bf16(Vector pairs) noexcept {
    return vreinterpretq_f32_u32(vshlq_n_u32(vreinterpretq_u32_f32(pairs), 16));
  }
  static Vector widen_second_bf16(Vector pairs) noexcept {
    const uint32x4_t mask = vdupq_n_u32(0xffff0000);
    return vreinterpretq_f32_u32(vandq_u32(vreinterpretq_u32_f32(pairs), mask));
  }
  static Vector load_f16(const uint16_t* address) noexcept { return widen_f16(vld1_u16(address)); }
  static Vector load_f16_part(const uint16_t* address, int64_t count) noexcept {
    return widen_f16(load_words(address, count));
  }

  static Vector add(Vector a, Vector b) noexcept { return vaddq_f32(a, b); }
  static Vector sub(Vector a, Vector b) noexcept { return vsubq_f32(a, b); }
  static Vector mul(Vector a, Vector b) noexcept { return vmulq_f32(a, b); }
  static Vector div(Vector a, Vector b) noexcept { return vdivq_f32(a, b); }
  static Vector fma(Vector a, Vector b, Vector c) noexcept { return vfmaq_f32(c, a, b); }
  static Vector max(Vector a, Vector b) noexcept { return vmaxq_f32(a, b); }
  static Vector min(Vector a, Vector b) noexcept { return vminq_f32(a, b); }
  static Vector abs(Vector a) noexcept { return vabsq_f32(a); }
  static Vector round(Vector a) noexcept { return vrndnq_f32(a); }
  static Vector pow2(Vector n) noexcept {
    const int32x4_t exponent = vaddq_s32(vcvtnq_s32_f32(n), vdupq_n_s32(127));
    return vreinterpretq_f32_s32(vshlq_n_s32(exponent, 23));
  }
  static Mask less(Vector a, Vector b) noexcept { return vcltq_f32(a, b); }
  static Vector select(Mask mask, Vector if_true, Vector if_false) noexcept {
    return vbslq_f32(mask, if_true, if_false);
  }

  static float sum(Vector v) noexcept { return vaddvq_f32(v); }
  static float max_element(Vector v) noexcept { return vmaxvq_f32(v); }

  static void transpose4(const float* rows, int64_t stride, Vector (&out)[4]) noexcept {
    const float32x4x2_t rows01 = vtrnq_f32(load(rows), load(rows + stride));
    const float32x4x2_t rows23 = vtrnq_f32(load(rows + 2 * stride), load(rows + 3 * stride));
    for (int i = 0; i < 2; ++i) {
      const float32x4_t low = rows01.val[i];
      const float32x4_t high = rows23.val[i];
      out[i] = vcombine_f32(vget_low_f32(low), vget_low_f32(high));
      out[i + 2] = vcombine_f32(vget_high_f32(low), vget_high_f32(high));
    }
  }

 private:
  static uint16x4_t load_words(const uint16_t* address, int64_t count) noexcept {
    uint16_t words[kLanes] = {};
    for (int64_t i = 0; i < count; ++i) words[i] = address[i];
    return vld1_u16(words);
  }
  static Vector widen_bf16(uint16x4_t bits) noexcept {
    return vreinterpretq_f32_u32(vshll_n_u16(bits, 16));
  }
  static Vector widen_f16(uint16x4_t bits) noexcept {
    return vcvt_f32_f16(vreinterpret_f16_u16(bits));
  }
};

}  // namespace
}  // namespace aios
