import type { RandomBytes } from "#shared/kernel/ports.ts";
import { addNoise } from "#shared/privacy/draw-noise.ts";
import { buildNoiseTable } from "#shared/privacy/noise-table.ts";

/** Milliseconds; the fastest of five. */
export interface NoiseTimes {
  readonly tableMs: number;
  readonly noiseMs: number;
  /** The platform's random bytes for it alone. */
  readonly randomMs: number;
}

/**
 * Noise for `count` coordinates.
 *
 * @param random  The platform's secure randomness.
 * @param nowMs   CPU time of this process if the platform tells it, else a clock. The work takes long enough to be
 *                interrupted on a busy machine.
 */
export function measureNoise(
  random: RandomBytes,
  nowMs: () => number,
  count: number,
  variance: number,
): NoiseTimes {
  const fastest = (work: () => void) => {
    let best = Number.POSITIVE_INFINITY;
    for (let turn = 0; turn < 5; turn++) {
      const began = nowMs();
      work();
      best = Math.min(best, nowMs() - began);
    }
    return best;
  };
  const numbers = new Int32Array(count);
  let table = buildNoiseTable(variance);
  const tableMs = fastest(() => {
    table = buildNoiseTable(variance);
  });
  const noiseMs = fastest(() => addNoise(numbers, table, random));
  const randomMs = fastest(() => {
    for (let left = count; left > 0; left -= 4064) random(16 * Math.min(left, 4064));
  });
  return { tableMs, noiseMs, randomMs };
}
