import { runShardedRound } from "../kit/worlds/sharded-round.ts";
import type { Bench, BenchLine, BenchOptions } from "./line.ts";

/*
 * A cohort of 10,000 devices in shards, 5 % of which leave, with real cryptography for every message. Each shard's sum
 * is compared with the plain sum of its survivors. One thread plays all devices and the coordinator.
 */

const FULL = { deviceCount: 10_000, vectorLength: 1_000 };
/** Two shards, too small for meaningful figures. */
const SMALL = { deviceCount: 100, vectorLength: 8 };

export const bench: Bench = { name: "ten-thousand", run };

async function* run({ small = false }: BenchOptions = {}): AsyncIterable<BenchLine> {
  const size = small ? SMALL : FULL;
  const began = performance.now();
  const cpuBefore = process.cpuUsage();
  let shards = 0;
  let survivors = 0;
  const round = runShardedRound({ ...size, dropoutShare: 0.05, seed: "ten thousand", isReal: () => true });
  for await (const { sum, inputs, shard, survivorCount } of round) {
    const signed = new Int32Array(sum.slice().buffer);
    for (let index = 0; index < signed.length; index++) {
      let expected = 0;
      for (const input of inputs) expected += input[index] as number;
      if (signed[index] !== expected) throw new Error(`shard ${shard} has a wrong sum at ${index}`);
    }
    shards += 1;
    survivors += survivorCount;
    console.error(`shard ${shard + 1}: ${survivorCount} inputs, exact`);
  }
  const { user, system } = process.cpuUsage(cpuBefore);
  yield { name: `${size.deviceCount} devices: shards with an exact sum`, value: shards, unit: "shards" };
  yield { name: "inputs in them", value: survivors, unit: "inputs" };
  yield { name: "all devices and the coordinator", value: (performance.now() - began) / 1e3, unit: "s" };
  yield { name: "CPU time of it", value: (user + system) / 1e6, unit: "s" };
}
