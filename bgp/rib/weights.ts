// Shares of the traffic as small whole numbers, as a kernel's next hops have them: proportional, the least that say it.

/** Of the largest share. The kernel takes 256; of 240 halves, thirds, quarters, fifths and tenths are whole. */
const MOST = 240;

/** Fills out[0, count) with the weights of shares[0, count), which are finite and above 0; none is less than 1. */
export function fillWeights(
  shares: ArrayLike<number>,
  count: number,
  out: Uint16Array<ArrayBufferLike>,
): void {
  let largest = 0;
  for (let i = 0; i < count; i++) if (shares[i]! > largest) largest = shares[i]!;
  let divisor = 0;
  for (let i = 0; i < count; i++) {
    const weight = Math.max(1, Math.round((shares[i]! / largest) * MOST));
    out[i] = weight;
    divisor = greatestCommonDivisor(divisor, weight);
  }
  for (let i = 0; i < count; i++) out[i] = out[i]! / divisor;
}

function greatestCommonDivisor(a: number, b: number): number {
  let [x, y] = [a, b];
  while (y !== 0) [x, y] = [y, x % y];
  return x;
}
