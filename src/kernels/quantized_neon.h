/// Eight-bit arithmetic of AArch64 for quantised weights: points become signed, and are summed by
/// dot products where the translation unit has them. The contract stands in quantized_avx512.h.
#pragma once

#include <arm_neon.h>

#include <cstdint>

#include "kernels/isa_neon.h"
#include "kernels/quantized_points_impl.h"

namespace aios {
namespace {

template <>
struct QuantizedOps<Neon> {
  using Bytes = uint8x16_t;
  static constexpr int64_t kRows = 4;
  static Bytes load(const uint8_t* address) noexcept { return vld1q_u8(address); }
  static Bytes replicate(const uint8_t* row_bytes) noexcept {
    const uint8_t order[16] = {0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3};
    uint32_t bytes = 0;
    __builtin_memcpy(&bytes, row_bytes, sizeof bytes);
    return vqtbl1q_u8(vreinterpretq_u8_u32(vdupq_n_u32(bytes)), vld1q_u8(order));
  }
  static Bytes keep(Bytes v, uint16_t mask) noexcept {
    return vandq_u8(v, vreinterpretq_u8_u16(vdupq_n_u16(mask)));
  }
  template <int kBits>
  static Bytes shift_left(Bytes v) noexcept {
    return vreinterpretq_u8_u16(vshlq_n_u16(vreinterpretq_u16_u8(v), kBits));
  }
  template <int kBits>
  static Bytes shift_right(Bytes v) noexcept {
    return vreinterpretq_u8_u16(vshrq_n_u16(vreinterpretq_u16_u8(v), kBits));
  }
  static Bytes multiply_low(Bytes a, Bytes b) noexcept {
    return vreinterpretq_u8_u16(vmulq_u16(vreinterpretq_u16_u8(a), vreinterpretq_u16_u8(b)));
  }
  static Bytes multiply_high(Bytes a, Bytes b) noexcept {
    const uint16x8_t x = vreinterpretq_u16_u8(a);
    const uint16x8_t y = vreinterpretq_u16_u8(b);
    const uint32x4_t low = vmull_u16(vget_low_u16(x), vget_low_u16(y));
    const uint32x4_t high = vmull_high_u16(x, y);
    return vreinterpretq_u8_u16(vcombine_u16(vshrn_n_u32(low, 16), vshrn_n_u32(high, 16)));
  }
  static Bytes join(Bytes upper, Bytes lower) noexcept {
    return vorrq_u8(keep(upper, 0xff00), lower);
  }
  static Bytes combine(Bytes a, Bytes b) noexcept { return vorrq_u8(a, b); }
  static Bytes add(Bytes a, Bytes b) noexcept { return vaddq_u8(a, b); }
  static Bytes centred(Bytes points) noexcept {
    return veorq_u8(points, vdupq_n_u8(static_cast<uint8_t>(kGridZero)));
  }

  using Points = int8x16_t;
  using Activations = int8x16_t;
  using Sums = int32x4_t;
  static constexpr int64_t kPointBytes = 1;
  static constexpr int64_t kFewRows = 0;
  static constexpr bool kReadsCodes = false;
  static constexpr bool kMultipliesDecoded = false;
  static constexpr int kTileRows = 4;
  static constexpr int kTileVectors = 4;
  static void store_points(uint8_t* out, Bytes centred) noexcept { vst1q_u8(out, centred); }
  static Points load_points(const uint8_t* points) noexcept {
    return vreinterpretq_s8_u8(vld1q_u8(points));
  }
  static Activations broadcast(const int8_t* x) noexcept {
    int32_t word = 0;
    __builtin_memcpy(&word, x, sizeof word);
    return vreinterpretq_s8_s32(vdupq_n_s32(word));
  }
  static constexpr bool kStartsByColumn = false;
  static Sums start(int32_t /*value*/) noexcept { return zero(); }
  static Sums zero() noexcept { return vdupq_n_s32(0); }
  static Sums dot(Sums sums, Points points, Activations x) noexcept {
#if defined(__ARM_FEATURE_DOTPROD)
    return vdotq_s32(sums, points, x);
#else
    const int32x4_t low = vpaddlq_s16(vmull_s8(vget_low_s8(points), vget_low_s8(x)));
    const int32x4_t high = vpaddlq_s16(vmull_high_s8(points, x));
    return vaddq_s32(sums, vpaddq_s32(low, high));
#endif
  }
  static Sums add_sums(Sums a, Sums b) noexcept { return vaddq_s32(a, b); }
  static float32x4_t to_floats(Sums sums) noexcept { return vcvtq_f32_s32(sums); }

  using Codes = int32x4_t;
  static Codes round(float32x4_t v) noexcept { return vcvtnq_s32_f32(v); }
  static Codes no_codes() noexcept { return vdupq_n_s32(0); }
  static Codes add_codes(Codes a, Codes b) noexcept { return vaddq_s32(a, b); }
  static int32_t sum_codes(Codes codes) noexcept { return vaddvq_s32(codes); }
  static void store_codes(int8_t* out, Codes codes) noexcept {
    const int16x4_t halves = vmovn_s32(codes);
    const int8x8_t bytes = vmovn_s16(vcombine_s16(halves, halves));
    const int32_t word = vget_lane_s32(vreinterpret_s32_s8(bytes), 0);
    __builtin_memcpy(out, &word, sizeof word);
  }
};

}  // namespace
}  // namespace aios
