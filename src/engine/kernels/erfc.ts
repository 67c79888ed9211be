// The complementary error function, 2/√π ∫ₓ^∞ exp(-t²) dt, with a relative error of about 1e-15 unless it underflows.
// Formulas: Abramowitz and Stegun, "Handbook of Mathematical Functions", 7.1.6 (series) and 7.1.14 (continued
// fraction).

const TWO_OVER_ROOT_PI = 2 / Math.sqrt(Math.PI);
/** From here on the continued fraction is used; below, 1 - erf loses less than two digits. */
const FRACTION_START = 1.5;

/**
 * erf for |x| below FRACTION_START: 2/√π exp(-x²) Σ 2ⁿ x²ⁿ⁺¹ / (2n+1)!!. All terms have one sign, so nothing cancels.
 */
function series(x: number): number {
  let term = x;
  let sum = x;
  for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum); n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return TWO_OVER_ROOT_PI * Math.exp(-x * x) * sum;
}

/** erfc for x from FRACTION_START on: exp(-x²)/√π · 1/(x + ½/(x + 1/(x + 1½/(x + …)))), from the inside out. */
function continuedFraction(x: number): number {
  let inner = x;
  // This number of terms leaves an error below 1e-16 at each x, found by comparison with twice as many.
  for (let n = Math.ceil(12 + 260 / (x * x)); n >= 1; n--) inner = x + n / 2 / inner;
  return Math.exp(-x * x) / (Math.sqrt(Math.PI) * inner);
}

export function erfc(x: number): number {
  if (x >= FRACTION_START) return continuedFraction(x);
  if (x <= -FRACTION_START) return 2 - continuedFraction(-x);
  // NaN ends here too and stays NaN.
  return Number.isNaN(x) ? NaN : 1 - series(x);
}
