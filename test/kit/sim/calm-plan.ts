import { CALM, type DeviceFault, type Plan, planOf, taskOf } from "./plan.ts";

/** Four devices, one round, nothing goes wrong. */
export function calmPlan(
  change: Partial<Omit<Plan, "faults">> & { readonly faults?: Partial<Plan["faults"]> } = {},
): Plan {
  const { faults, ...rest } = change;
  return {
    ...planOf(1),
    deviceCount: 4,
    rounds: 1,
    network: CALM,
    flaws: new Map(),
    trainingMaxMs: 500,
    task: taskOf(4, { ...planOf(1).task.aggregation, goal: 4, overSelection: 1, securityModel: "active" }),
    ...rest,
    faults: {
      hostDiesAtWrites: [],
      hostAwayMaxMs: 500,
      brokenWrites: [],
      devices: [],
      partitions: [],
      ...faults,
    },
  };
}

/** `at` counts what the device sends and writes down. */
export const fault = (device: number, kind: DeviceFault["kind"], at: number, forMs = 0): DeviceFault => {
  return { device, kind, at, forMs };
};
