import type { Traffic } from "#shared/protocol/api.ts";

/*
 * Bytes of each device and step of one round, counted where frames and inputs pass. Shown as medians, never by device.
 *
 * | step         | up                     | down                       |
 * | ------------ | ---------------------- | -------------------------- |
 * | model        |                        | invitation and model       |
 * | keys         | advert                 | roster                     |
 * | shares       | sealed shares          | sealed shares of the others |
 * | input        | masked input, headers  | receipt                    |
 * | confirmation | confirmation           | sets                       |
 * | opening      | shares                 | confirmations and outcome  |
 *
 * A message that is said again is counted again; what was counted before a restart is kept in the round's row only.
 */

export type TrafficStep = Traffic["step"];
const STEPS: readonly TrafficStep[] = ["model", "keys", "shares", "input", "confirmation", "opening"];

interface Both {
  up: number;
  down: number;
}

export class TrafficMeter {
  readonly #byStep = new Map<TrafficStep, Map<string, Both>>();

  count(identity: string, step: TrafficStep, direction: "up" | "down", byteCount: number): void {
    const devices = this.#byStep.get(step) ?? new Map<string, Both>();
    this.#byStep.set(step, devices);
    const both = devices.get(identity) ?? { up: 0, down: 0 };
    devices.set(identity, both);
    both[direction] += byteCount;
  }

  /** Medians over the devices that took part in a step. */
  medians(): Traffic[] {
    return STEPS.flatMap((step) => {
      const devices = [...(this.#byStep.get(step)?.values() ?? [])];
      if (devices.length === 0) return [];
      return [
        {
          step,
          upByteCount: median(devices.map(({ up }) => up)),
          downByteCount: median(devices.map(({ down }) => down)),
        },
      ];
    });
  }
}

/** The lower one of two middles, so that it is a count that occurred. */
function median(values: readonly number[]): number {
  const sorted = [...values].sort((left, right) => left - right);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? 0;
}
