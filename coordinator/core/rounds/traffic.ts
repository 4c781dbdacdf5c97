import type { Traffic } from "#shared/protocol/api.ts";
import { lowerMedian } from "#shared/stats/median.ts";

/*
 * Bytes per device and step of a round, counted as frames and inputs pass. Shown only as medians, never per
 * device.
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
 * A repeated message is counted again. What was counted before a restart is only in the round's row.
 */

export type TrafficStep = Traffic["step"];
const STEPS: readonly TrafficStep[] = ["model", "keys", "shares", "input", "confirmation", "opening"];

interface Both {
  up: number;
  down: number;
}

export class TrafficMeter {
  readonly #byStep = new Map<TrafficStep, Map<string, Both>>();
  /** Messages counted since `#medians` was made. */
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
   * Medians over the devices that took part in a step. Every event of a round asks for them, but sorting
   * thousands of devices takes longer than handling the event. Within a phase they may therefore lag behind
   * by a twentieth of the cohort.
   *
   * @param exact  Leaves nothing out: for the end of a phase or round.
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
          upByteCount: lowerMedian(devices.map(({ up }) => up)) ?? 0,
          downByteCount: lowerMedian(devices.map(({ down }) => down)) ?? 0,
        },
      ];
    });
    return this.#medians;
  }
}
