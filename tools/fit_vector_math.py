#!/usr/bin/env python3
"""Fits the polynomials of src/kernels/vector_math_impl.h; needs numpy and mpmath.

Each is a minimax fit by Lawson's iteration (least squares with weights that grow where the error is
large) on Chebyshev nodes. Prints the coefficients, lowest power first, and the largest error.
"""
import mpmath as mp
import numpy as np

mp.mp.dps = 40


def fit(function, begin, end, degree, weight, nodes=600, iterations=60):
    xs = [(begin + end) / 2 + (end - begin) / 2 * mp.cos(mp.pi * (2 * i + 1) / (2 * nodes))
          for i in range(nodes)]
    values = np.array([float(function(x)) for x in xs])
    scale = np.array([float(weight(x)) for x in xs])
    mapped = np.array([float((2 * x - begin - end) / (end - begin)) for x in xs])
    basis = np.polynomial.chebyshev.chebvander(mapped, degree)
    lawson = np.ones(nodes) / nodes
    for _ in range(iterations):
        row = np.sqrt(lawson) * scale
        solution = np.linalg.lstsq(basis * row[:, None], values * row, rcond=None)[0]
        error = np.abs(basis @ solution - values) * scale
        lawson = lawson * error
        lawson /= lawson.sum()
    series = np.polynomial.chebyshev.Chebyshev(solution, [float(begin), float(end)])
    return series.convert(kind=np.polynomial.Polynomial).coef, error.max()


def report(name, result):
    coefficients, error = result
    print(name, "error %.2g:" % error, ", ".join("%.9g" % c for c in coefficients))


def main():
    half = mp.log(2) / 2 * mp.mpf("1.0001")
    report("exp: (e^r - 1 - r) / r^2",
           fit(lambda r: (mp.exp(r) - 1 - r) / r**2 if abs(r) > 1e-9 else mp.mpf("0.5"),
               -half, half, 4, lambda r: r * r))
    report("tanh: (tanh x - x) / x^3 in x^2",
           fit(lambda s: (mp.tanh(mp.sqrt(s)) - mp.sqrt(s)) / (s * mp.sqrt(s)),
               mp.mpf("1e-10"), mp.mpf("0.625")**2, 4, lambda s: s))
    report("gelu: ln(2 Phi(-y)) / y",
           fit(lambda y: mp.log(mp.erfc(y / mp.sqrt(2))) / y,
               mp.mpf("1e-8"), mp.mpf("5.7"), 9, lambda y: y))


if __name__ == "__main__":
    main()
