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
  /** What was counted since `#medians` was made. */
  #news = 0;
  #medians: Traffic[] = [];

  count(identity: string, step: TrafficStep, direction: "up" | "down", byteCount: number): void {
    const devices = this.#byStep.get(step) ?? new Map<string, Both>();
    this.#byStep.set(step, devices);
    const both = devices.get(identity) ?? { up: 0, down: 0 };
    devices.set(identity, both);
    both[direction] += byteCount;
    this.#news += 1;
  }

  /**
   * Medians over the devices that took part in a step. Each event of a round asks for them, and sorting what thousands of
   * devices sent takes longer than the event: within a phase they may lag a twentieth of a cohort behind.
   *
   * @param exact  Where nothing may be missing: at the turn of a phase, and when the round is over.
   */
  medians(exact: boolean): Traffic[] {
    const deviceCount = this.#byStep.get("model")?.size ?? 0;
    if (this.#news === 0 || (!exact && this.#news < deviceCount / 20)) return this.#medians;
    this.#news = 0;
    this.#medians = STEPS.flatMap((step) => {
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
    return this.#medians;
  }
}

/** The lower one of two middles, so that it is a count that occurred. */
function median(values: readonly number[]): number {
  const sorted = [...values].sort((left, right) => left - right);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? 0;
}
