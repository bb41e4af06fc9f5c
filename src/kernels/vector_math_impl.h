/// Transcendental functions on vectors. Polynomials are minimax fits: tools/fit_vector_math.py.
#pragma once

#include <cstdint>

namespace aios {
namespace {

/// coefficients[0] + coefficients[1] x + ... (Horner)
template <typename Isa, int kSize>
typename Isa::Vector polynomial(const float (&coefficients)[kSize],
                                typename Isa::Vector x) noexcept {
  typename Isa::Vector result = Isa::fill(coefficients[kSize - 1]);
  for (int i = kSize - 2; i >= 0; --i) result = Isa::fma(result, x, Isa::fill(coefficients[i]));
  return result;
}

/// e^x, off by at most 1.5 units in the last place; 0 below -87.3 (no subnormals), infinity above
/// 88.8. x = n ln 2 + r with |r| <= ln 2 / 2, e^r = 1 + r + r^2 p(r), p to 3.2e-9 of r^2.
template <typename Isa>
typename Isa::Vector exp(typename Isa::Vector x) noexcept {
  using Vector = typename Isa::Vector;
  constexpr float kSmallest = -87.3365F;
  constexpr float kLog2E = 1.44269504F;
  constexpr float kLn2High = 0.693145752F;  // 15 bits: n * kLn2High is exact
  constexpr float kLn2Low = 1.42860677e-6F;
  constexpr float kCoefficients[] = {0.50000001F, 0.166665188F, 0.0416662058F, 0.00836888956F,
                                     0.00139504892F};
  const Vector limited = Isa::min(Isa::fill(89.0F), x);
  const Vector n = Isa::round(Isa::mul(limited, Isa::fill(kLog2E)));
  Vector r = Isa::fma(n, Isa::fill(-kLn2High), limited);
  r = Isa::fma(n, Isa::fill(-kLn2Low), r);
  const Vector p = polynomial<Isa>(kCoefficients, r);
  const Vector e = Isa::fma(Isa::mul(r, r), p, Isa::add(r, Isa::fill(1.0F)));
  const Vector result = Isa::mul(e, Isa::pow2(n));
  return Isa::select(Isa::less(x, Isa::fill(kSmallest)), Isa::zero(), result);
}

/// 1 / (1 + e^-x)
template <typename Isa>
typename Isa::Vector sigmoid(typename Isa::Vector x) noexcept {
  const typename Isa::Vector one = Isa::fill(1.0F);
  return Isa::div(one, Isa::add(one, exp<Isa>(Isa::sub(Isa::zero(), x))));
}

/// Below 0.625 x + x^3 p(x^2), p to 4.2e-9 of x^2; above 1 - 2 / (1 + e^2|x|).
template <typename Isa>
typename Isa::Vector tanh(typename Isa::Vector x) noexcept {
  using Vector = typename Isa::Vector;
  constexpr float kCoefficients[] = {-0.333332839F, 0.133314912F, -0.0537434953F, 0.020650579F,
                                     -0.00571703656F};
  const Vector square = Isa::mul(x, x);
  const Vector near_zero = Isa::fma(Isa::mul(x, square), polynomial<Isa>(kCoefficients, square), x);
  const Vector one = Isa::fill(1.0F);
  const Vector magnitude = Isa::abs(x);
  const Vector tail =
      Isa::div(Isa::fill(2.0F), Isa::add(one, exp<Isa>(Isa::add(magnitude, magnitude))));
  const Vector far = Isa::sub(one, tail);
  const Vector signed_far = Isa::select(Isa::less(x, Isa::zero()), Isa::sub(Isa::zero(), far), far);
  return Isa::select(Isa::less(magnitude, Isa::fill(0.625F)), near_zero, signed_far);
}

/// x Phi(x) = max(x, 0) - |x| Phi(-|x|), Phi(-y) = e^-(ln 2 + y p(y)): no division. p is fitted up
/// to 5.7, where y Phi(-y) < 4e-8, and y p to 1.9e-7, which is the relative error of Phi(-y).
template <typename Isa>
typename Isa::Vector gelu(typename Isa::Vector x) noexcept {
  using Vector = typename Isa::Vector;
  constexpr float kMinusLn2 = -0.693147181F;
  constexpr float kCoefficients[] = {
      -0.797889675F,   -0.318264723F,   -0.036472903F,   0.00498596091F,  -0.000131082324F,
      -0.00013419253F, 3.65483469e-05F, -4.9090065e-06F, 3.54696277e-07F, -1.09600819e-08F};
  const Vector y = Isa::min(Isa::fill(5.7F), Isa::abs(x));
  const Vector exponent = Isa::fma(y, polynomial<Isa>(kCoefficients, y), Isa::fill(kMinusLn2));
  return Isa::sub(Isa::max(Isa::zero(), x), Isa::mul(y, exp<Isa>(exponent)));
}

/// x (1 + tanh u) / 2 = x sigmoid(2 u), u = sqrt(2 / pi) (x + 0.044715 x^3)
template <typename Isa>
typename Isa::Vector gelu_tanh(typename Isa::Vector x) noexcept {
  using Vector = typename Isa::Vector;
  constexpr float kTwiceSqrtTwoOverPi = 1.59576912F;
  const Vector cubic = Isa::mul(Isa::mul(x, x), Isa::fill(0.044715F));
  const Vector inner = Isa::mul(Isa::fma(cubic, x, x), Isa::fill(kTwiceSqrtTwoOverPi));
  return Isa::mul(x, sigmoid<Isa>(inner));
}

}  // namespace
}  // namespace aios
