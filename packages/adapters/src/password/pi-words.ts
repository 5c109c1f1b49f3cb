/** Bits of precision beyond those that are asked for: more than the series can lose. */
const guardBits = 64n;

/**
 * The first words of the fractional part of π, 32 bits each: the start values of Blowfish. Computed instead of kept as
 * a table of a thousand numbers that nobody could check by eye.
 */
export function piWords(count: number): Uint32Array {
  const bits = BigInt(count) * 32n;
  const precision = bits + guardBits;
  // Machin: π = 16 arctan(1/5) − 4 arctan(1/239).
  const pi = 16n * arctanOfInverse(5n, precision) - 4n * arctanOfInverse(239n, precision);
  const fraction = (pi - (3n << precision)) >> guardBits;
  const digits = fraction.toString(16).padStart(count * 8, '0');
  return Uint32Array.from({ length: count }, (_word, index) =>
    Number.parseInt(digits.slice(index * 8, index * 8 + 8), 16),
  );
}

/** arctan(1/x) as a fixed-point number. */
function arctanOfInverse(x: bigint, precision: bigint): bigint {
  const square = x * x;
  let power = (1n << precision) / x;
  let sum = power;
  for (let divisor = 3n, sign = -1n; power > 0n; divisor += 2n, sign = -sign) {
    power /= square;
    sum += (sign * power) / divisor;
  }
  return sum;
}
