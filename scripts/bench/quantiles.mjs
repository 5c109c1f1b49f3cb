/** Quantiles of a list of numbers, rounded to a thousandth. */
export function quantiles(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share) =>
    Math.round((sorted[Math.ceil(share * sorted.length) - 1] ?? Number.NaN) * 1000) / 1000;
  return {
    count: sorted.length,
    min: at(1 / sorted.length),
    p50: at(0.5),
    p90: at(0.9),
    p99: at(0.99),
    max: at(1),
  };
}

/** Wall clock in milliseconds with sub-millisecond precision. */
export const wallMs = () => performance.timeOrigin + performance.now();
