import type { GraphPlan } from "#shared/cohort/graph-plan.ts";
import { type Task, taskSchema } from "#shared/task/task.ts";
import { smallTask } from "#test/kit/worlds/small-task.ts";
import { type Dice, dice } from "./dice.ts";
import type { Flaw } from "./rogue.ts";

/*
 * What one seed plays: a cohort, a network, and its faults. All of it is drawn before the first event, so a plan can be
 * printed, and changed by a test.
 */

/** What the network does to messages. `faults` has cuts and partitions. */
export interface NetworkPlan {
  /** A message takes between 1 ms and this. */
  readonly latencyMaxMs: number;
  /** Occasionally one takes up to this much longer. */
  readonly stallMaxMs: number;
  /** Probability for each message; 0 models a socket, whose messages are lost only with it. */
  readonly loss: number;
  readonly duplication: number;
  /** Whether messages of one connection may overtake each other. */
  readonly reorders: boolean;
  /** For a test that knows what it wants to lose: the `count`-th message or reply of this name, counted from 1. */
  readonly loses?: (direction: "up" | "down", what: string, count: number) => boolean;
}

/** Times are milliseconds since the launch of the run; counts are of writes, or of a device's actions. */
export interface FaultPlan {
  /** The coordinator dies at these writes of its life, and stays away for a while. */
  readonly hostDiesAtWrites: readonly number[];
  readonly hostAwayMaxMs: number;
  /** A write is done or not, and the coordinator is told that it failed. */
  readonly brokenWrites: readonly number[];
  readonly damagedInputs: readonly DiskDamage[];
  readonly devices: readonly DeviceFault[];
  readonly partitions: readonly { readonly atMs: number; readonly forMs: number; readonly devices: number }[];
}

export interface EvaluatorPlan {
  /** Longest time of an evaluation. */
  readonly maxMs: number;
  /** Probability for each evaluation. */
  readonly failure: number;
}

/** The disk damages the `input`-th input stored in the world, counted from 1. */
export interface DiskDamage {
  readonly input: number;
  /** Time since it was stored. */
  readonly afterMs: number;
  /** Index of the byte that changes, modulo their number. */
  readonly at: number;
  /** True if its last word is lost as well. */
  readonly cut: boolean;
}

export interface DeviceFault {
  readonly device: number;
  readonly kind: "cut" | "crash" | "hide" | "pause" | "leave";
  /** Happens when this device sends or remembers something for the `at`-th time. */
  readonly at: number;
  readonly forMs: number;
}

export interface Plan {
  readonly seed: string;
  /** Real cryptography instead of the fake. */
  readonly real: boolean;
  readonly deviceCount: number;
  readonly rounds: number;
  readonly task: Task;
  /** Number of newest rounds kept for an auditor; 0 keeps none. */
  readonly keptRounds: number;
  readonly trainingMaxMs: number;
  /** The run waits for devices at most this long after the launch. */
  readonly waitUntilMs: number;
  readonly evaluator: EvaluatorPlan;
  readonly network: NetworkPlan;
  readonly faults: FaultPlan;
  /** By device: what it lies about, and until when, in milliseconds. */
  readonly flaws: ReadonlyMap<number, { readonly flaw: Flaw; readonly untilMs: number }>;
}

/** One seed in this many is played with real cryptography. */
export const REAL_EVERY = 1_000;

export const CALM: NetworkPlan = {
  latencyMaxMs: 50,
  stallMaxMs: 200,
  loss: 0,
  duplication: 0,
  reorders: false,
};
const NETWORKS: readonly NetworkPlan[] = [
  CALM,
  { latencyMaxMs: 400, stallMaxMs: 6_000, loss: 0, duplication: 0, reorders: false },
  { latencyMaxMs: 400, stallMaxMs: 3_000, loss: 0, duplication: 0.1, reorders: true },
  { latencyMaxMs: 300, stallMaxMs: 2_000, loss: 0.04, duplication: 0.04, reorders: true },
];

export const DEADLINES = {
  recruitingMs: 30_000,
  trainingMs: 40_000,
  sharingMs: 15_000,
  collectingMs: 20_000,
  confirmingMs: 15_000,
  unmaskingMs: 15_000,
  graceMs: 30_000,
};

/** @param rounds  Makes it a long run: more devices than a round needs, and none that leaves for good. */
export function planOf(seed: number, rounds?: number): Plan {
  const isLong = rounds !== undefined;
  const real = seed % REAL_EVERY === 0;
  const roll = dice(`plan ${seed}`);
  const cohort = oneSum(roll, isLong);
  // Independent dice: a plan that draws neither form plays what the seed would play without them.
  const form = roll.branch("form");
  const others = isLong || real ? [cohort] : [cohort, cohort, cohort, cohort, cohort, sharded(form)];
  const { deviceCount, ...aggregation } = form.pick([...others, sparse(form, cohort)]);
  const plan = {
    seed: String(seed),
    real,
    deviceCount,
    rounds: rounds ?? roll.pick([1, 1, 1, 2]),
    task: taskOf(deviceCount, {
      ...aggregation,
      cohortSizeMin: 3,
      deadlines: DEADLINES,
      ring: form.pick([32, 32, 32, 16]),
      recruitingMinMs: roll.branch("recruiting").pick([undefined, undefined, 0, 2_000]),
    }),
    keptRounds: form.pick([0, 0, 0, 1]),
    trainingMaxMs: roll.pick([500, 4_000, 20_000]),
    ...waitingOf(roll.branch("waiting"), isLong),
    network: roll.pick(NETWORKS),
  };
  const kinds = isLong ? PASSING_FAULTS : FAULTS;
  return {
    ...plan,
    faults: faultsOf(roll, kinds, deviceCount, plan.rounds, isLong),
    flaws: flawsOf(roll, deviceCount),
  };
}

/** A short run may have a short time to wait; any other waits until long after everything has healed. */
function waitingOf(roll: Dice, isLong: boolean): Pick<Plan, "waitUntilMs" | "evaluator"> {
  const patient = 3_000_000;
  return {
    waitUntilMs: isLong ? 100 * patient : roll.pick([3_000, 60_000, patient, patient, patient, patient]),
    evaluator: {
      maxMs: roll.pick([300, 300, 5_000, 90_000]),
      failure: roll.pick([0, 0, 0.3, 0.9]),
    },
  };
}

/** Who takes part, and in how many sums. */
type Cohort = Pick<Task["aggregation"], "goal" | "overSelection" | "cohortSizeMax" | "securityModel"> & {
  readonly graph: GraphPlan;
  readonly deviceCount: number;
};

function oneSum(roll: Dice, isLong: boolean): Cohort {
  const deviceCount = isLong ? roll.between(6, 9) : roll.pick([3, 4, 4, 4, 5, 6]);
  return {
    deviceCount,
    goal: isLong ? deviceCount - 2 : roll.between(3, deviceCount),
    overSelection: roll.pick([1, 1, 1.3]),
    cohortSizeMax: 12,
    securityModel: roll.pick(["active", "active", "honest-but-curious"] as const),
    graph: "complete",
  };
}

/** Two or three shards. If more devices are invited than the goal asks for, it can be reached without one shard. */
function sharded(roll: Dice): Cohort {
  const size = 8;
  const count = roll.pick([2, 3]);
  const overSelection = roll.pick([1, 1.3, 2]);
  const invitedMax = size * count;
  const goal = Math.floor(roll.between(invitedMax - size + 2, invitedMax) / overSelection);
  return {
    deviceCount: Math.ceil(overSelection * goal) + roll.between(-1, 3),
    goal,
    overSelection,
    // A small one may be overfilled by chance.
    cohortSizeMax: roll.pick([10, 24, 24]),
    securityModel: roll.pick(["active", "honest-but-curious"] as const),
    graph: { kind: "shards", size },
  };
}

/** A ring of devices with few neighbours each. */
function sparse(roll: Dice, { deviceCount, goal, ...cohort }: Cohort): Cohort {
  const more = roll.between(0, 3);
  const corruptShare = roll.pick([0.01, 0.05, 0.2]);
  const dropoutShare = roll.pick([0, 0.1, 0.3]);
  return {
    ...cohort,
    deviceCount: Math.min(deviceCount + more, 9),
    goal: Math.min(goal + more, 9),
    securityModel: "honest-but-curious",
    graph: { kind: "k-regular", corruptShare, dropoutShare },
  };
}

const PASSING_FAULTS = ["cut", "cut", "cut", "crash", "crash", "hide", "pause"] as const;
const FAULTS = [...PASSING_FAULTS, "leave"] as const;

/** About a third of all plans have no fault of a given kind; the others have a few per round. */
function faultsOf(
  roll: Dice,
  kinds: readonly DeviceFault["kind"][],
  deviceCount: number,
  rounds: number,
  isLong: boolean,
): FaultPlan {
  // Independent dice, as above.
  const disk = roll.branch("disk");
  const damages = !isLong && disk.chance(1 / 8) ? disk.between(1, 2) : 0;
  const some = <T>(most: number, make: () => T): T[] =>
    roll.chance(1 / 3) ? [] : Array.from({ length: roll.between(0, most * rounds) }, make);
  return {
    hostDiesAtWrites: some(2, () => roll.between(1, 60)),
    hostAwayMaxMs: roll.pick([500, 5_000, 40_000]),
    brokenWrites: roll.chance(0.2) ? some(1, () => roll.between(1, 60 * rounds)) : [],
    damagedInputs: Array.from({ length: damages }, () => ({
      input: disk.between(1, deviceCount * rounds),
      afterMs: disk.between(1, 1_500),
      at: disk.between(0, 2 ** 20),
      cut: disk.chance(0.3),
    })),
    // With more devices, more of them must fail before a shard falls short.
    devices: some(deviceCount > 12 ? 12 : 4, () => ({
      device: roll.between(0, deviceCount - 1),
      kind: roll.pick(kinds),
      at: roll.between(1, 14 * rounds),
      forMs: roll.pick([0, 1_000, 4_000, 20_000, 90_000]),
    })),
    partitions: roll.chance(0.25)
      ? some(1, () => ({
          atMs: roll.between(0, 30_000 * (rounds + 1)),
          forMs: roll.between(500, 40_000),
          devices: roll.between(1, deviceCount),
        }))
      : [],
  };
}

const FLAWS: readonly Flaw[] = [
  "wrong-b",
  "wrong-z",
  "wrong-mask",
  "wrong-pair-mask",
  "unreadable-share",
  "wrong-share",
];

/** One plan in six has a dishonest device; some become honest later. */
function flawsOf(roll: Dice, deviceCount: number): Plan["flaws"] {
  if (!roll.chance(1 / 6)) return new Map();
  const flaw = { flaw: roll.pick(FLAWS), untilMs: roll.pick([5_000, 30_000, 60_000, 600_000]) };
  return new Map([[roll.between(0, deviceCount - 1), flaw]]);
}

const tasks = new Map<string, Task>();

/** Cached, because parsing a task takes longer than the rest of a plan. */
export function taskOf(deviceCount: number, aggregation: Parameters<typeof smallTask>[1]): Task {
  const key = JSON.stringify([deviceCount, aggregation]);
  const known = tasks.get(key) ?? taskSchema.parse(smallTask(deviceCount, aggregation));
  tasks.set(key, known);
  return known;
}
