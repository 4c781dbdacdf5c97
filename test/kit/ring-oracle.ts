import { createCipheriv, createHash } from "node:crypto";

/*
 * The 16-bit ring implemented again from its description, without the product's code: BigInt for whole numbers, each
 * entry of the Hadamard matrix by definition, hashes and streams by node:crypto. Slow on purpose.
 */

/**
 * [count] of 1 and -1: a set bit in the AES-256-CTR stream under SHA-256(E("chorus/1/rotation", runId, round)) is -1.
 */
export function oracleSigns(runId: string, round: number, count: number): number[] {
  const roundBytes = Buffer.alloc(4);
  roundBytes.writeUInt32BE(round);
  const items = [Buffer.from("chorus/1/rotation"), Buffer.from(runId), roundBytes];
  const encoded = items.flatMap((item) => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(item.length);
    return [length, item];
  });
  const key = createHash("sha256").update(Buffer.concat(encoded)).digest();
  const stream = createCipheriv("aes-256-ctr", key, Buffer.alloc(16)).update(
    Buffer.alloc(Math.ceil(count / 8)),
  );
  return Array.from({ length: count }, (_, i) => (((stream[i >> 3] as number) >> (i % 8)) & 1 ? -1 : 1));
}

/** H[row][column] of the Hadamard matrix in natural order: minus if both have an odd number of bits in common. */
export function hadamard(row: number, column: number): number {
  let common = row & column;
  let sign = 1;
  for (; common > 0; common >>= 1) if (common & 1) sign = -sign;
  return sign;
}

/** D H x: the sum of rotated coordinates after rotating back, times sqrt(d). */
export function oracleUnrotate(
  coordinates: readonly bigint[],
  parameterCount: number,
  signs: number[],
): bigint[] {
  return Array.from({ length: parameterCount }, (_, row) => {
    const total = coordinates.reduce((sum, value, column) => sum + BigInt(hadamard(row, column)) * value, 0n);
    return BigInt(signs[row] as number) * total;
  });
}

/** The two signed 16-bit numbers that make up a word: x + 2^16 y, mod 2^32. */
export function oraclePair(word: number): [low: bigint, high: bigint] {
  const low = BigInt.asIntN(16, BigInt(word));
  return [low, BigInt.asIntN(16, (BigInt.asUintN(32, BigInt(word)) - low) / 65_536n)];
}

/**
 * The next model to the last bit, from the survivors' words before masking: sums the 16-bit update number by number,
 * removes the rotation, and takes a plain average.
 *
 * @param parts  All words of each survivor's vector, the update first.
 * @param scale  B / Q times W.
 */
export function oracleNextModel(
  parent: Float32Array,
  parts: readonly { readonly words: Uint32Array; readonly weight: number }[],
  { runId, round, scale }: { readonly runId: string; readonly round: number; readonly scale: number },
): Float32Array {
  let dimension = 2;
  while (dimension < parent.length) dimension *= 2;
  const totals = Array<bigint>(dimension).fill(0n);
  for (const { words } of parts) {
    for (const [index, word] of words.subarray(0, dimension / 2).entries()) {
      for (const [half, value] of oraclePair(word).entries()) {
        totals[2 * index + half] = (totals[2 * index + half] as bigint) + value;
      }
    }
  }
  const updateSum = oracleUnrotate(totals, parent.length, oracleSigns(runId, round, parent.length));
  const weightSum = parts.reduce((sum, { weight }) => sum + weight, 0);
  const step = scale / Math.sqrt(dimension);
  return parent.map((weight, index) => Math.fround(weight + (Number(updateSum[index]) * step) / weightSum));
}
