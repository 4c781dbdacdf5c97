import type { Task } from "#shared/task/task.ts";
import { CALM, DEADLINES, type DeviceFault, type Plan, planOf, taskOf } from "./plan.ts";

/** One sum of all devices. */
export function calmTask(deviceCount: number, aggregation: Partial<Task["aggregation"]> = {}): Task {
  return taskOf(deviceCount, {
    ...{ goal: deviceCount, overSelection: 1, cohortSizeMin: 3, cohortSizeMax: 12 },
    ...{ securityModel: "active", graph: "complete", deadlines: DEADLINES, ring: 32 },
    ...aggregation,
  });
}

/** Four devices, one round, no faults. */
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
    task: calmTask(4),
    keptRounds: 0,
    waitUntilMs: 3_000_000,
    evaluator: { maxMs: 300, failure: 0 },
    ...rest,
    faults: {
      hostDiesAtWrites: [],
      hostAwayMaxMs: 500,
      brokenWrites: [],
      damagedInputs: [],
      devices: [],
      partitions: [],
      ...faults,
    },
  };
}

/**
 * Three devices, although a round wants five. One of them is away at the end of each of the first `rounds` recruitings.
 */
export function restlessPlan(rounds: number): Plan {
  const partitions = Array.from({ length: rounds }, (_, index) => {
    return { atMs: 20_000 + 50_000 * index, forMs: 30_000, devices: 1 };
  });
  return calmPlan({ deviceCount: 3, task: calmTask(5), faults: { partitions } });
}

/** `at` counts what the device sends and writes. */
export const fault = (device: number, kind: DeviceFault["kind"], at: number, forMs = 0): DeviceFault => {
  return { device, kind, at, forMs };
};

/** Shards of 8. The first `leaving` devices leave once they have shared their secrets. */
export function shardedPlan(seed: string, deviceCount: number, goal: number, leaving: number): Plan {
  const overSelection = deviceCount / goal;
  const graph = { kind: "shards", size: 8 } as const;
  const devices = Array.from({ length: leaving }, (_, device) => fault(device, "leave", 8));
  const task = calmTask(deviceCount, { goal, overSelection, cohortSizeMax: 24, graph });
  return calmPlan({ seed, deviceCount, task, faults: { devices } });
}
