import { expect, test } from "vitest";
import { present } from "#shared/kernel/assert.ts";
import { QUANTIZED_MAX, runShardedRound } from "#test/kit/worlds/sharded-round.ts";

const DEVICES = 10_000;
const LENGTH = 8;
/** The one shard whose devices run the whole protocol with real cryptography. */
const REAL_SHARD = 41;

test("[S2] 10,000 devices in shards, 5 % of which leave: the exact sum, one shard with real cryptography", async () => {
  const total = new Float64Array(LENGTH);
  const inOneRing = new Uint32Array(LENGTH);
  const oracle = Array.from({ length: LENGTH }, () => 0n);
  const rosterSizes: number[] = [];
  let survivors = 0;
  let realCount = 0;
  const round = runShardedRound({
    deviceCount: DEVICES,
    dropoutShare: 0.05,
    vectorLength: LENGTH,
    seed: "ten thousand",
    isReal: (shard) => shard === REAL_SHARD,
  });
  for await (const { sum, inputs, rosterSize, survivorCount, real } of round) {
    // Each shard is read as signed words by itself and added as whole numbers.
    new Int32Array(sum.slice().buffer).forEach((value, index) => {
      total[index] = (total[index] as number) + value;
    });
    sum.forEach((word, index) => {
      inOneRing[index] = (inOneRing[index] as number) + word;
    });
    for (const input of inputs) {
      input.forEach((value, index) => {
        oracle[index] = (oracle[index] as bigint) + BigInt(value);
      });
    }
    rosterSizes.push(rosterSize);
    survivors += survivorCount;
    if (real) realCount++;
  }
  expect([...total].map(BigInt)).toEqual(oracle);
  expect(rosterSizes).toHaveLength(105);
  expect(rosterSizes.reduce((sum, size) => sum + size, 0)).toBe(DEVICES);
  expect(realCount).toBe(1);
  // 500 leave; the quarter that leaves after their input is in the sum.
  expect(survivors).toBe(9_625);
  // The first coordinate exceeds the ring of one sum: added within it, the total would be wrong (positive control).
  const first = present(oracle[0], "a first coordinate");
  expect(first).toBeGreaterThan(BigInt(QUANTIZED_MAX) * 9_000n);
  expect([...new Int32Array(inOneRing.buffer)].map(BigInt)).not.toEqual(oracle);
});
