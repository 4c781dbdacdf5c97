import { z } from "zod";
import { curve, type Setup } from "./fake-rounds.ts";
import { TASKS } from "./fake-tasks.ts";

/* Which made-up runs there are. */

/** Runs of many sizes and ends, to look at the score and the charts. */
function gallery(): Setup[] {
  const [task] = TASKS;
  if (task === undefined) throw new Error("no task");
  const sizes = [2, 3, 8, 9, 24, 40, 200];
  const common = { task, roundS: 46, planned: 15, accuracy: curve(0.1, 0.95, 3), rows: 359 } as const;
  const ofSize = (devices: number, index: number): Setup[] => {
    const number = 10 * index;
    const of = (name: string, offset: number, more: Partial<Setup>): Setup => ({
      ...common,
      name: `${name} ${devices}`,
      devices,
      number: number + offset,
      done: 2,
      state: "completed",
      ...more,
    });
    return [
      of("early", 1, { state: "running", atS: 4.5 }),
      of("late", 2, { state: "running", atS: 34 }),
      of("opened", 3, { done: 15 }),
      of("given up", 4, { state: "failed", failsAt: 3, code: "U3_BELOW_T" }),
      of("stopped", 5, { state: "failed", stopsAtS: 30, code: "ABORTED_BY_OPERATOR" }),
    ];
  };
  const long: Setup = {
    ...common,
    name: "long",
    number: 100,
    devices: 9,
    planned: 120,
    done: 107,
    roundS: 5,
    state: "running",
    atS: 3.3,
    accuracy: curve(0.1, 0.97, 5),
  };
  const single: Setup = {
    ...common,
    name: "single",
    number: 101,
    devices: 8,
    planned: 1,
    done: 1,
    state: "completed",
  };
  return [...sizes.flatMap(ofSize), long, single];
}

const [digits, hmda, fashion] = TASKS;
if (!digits || !hmda || !fashion) throw new Error("three tasks");

/** A run in each state that pages show. */
const EACH: readonly Setup[] = [
  {
    name: "live",
    task: hmda,
    number: 7,
    devices: 64,
    roundS: 75,
    planned: 40,
    done: 14,
    state: "running",
    accuracy: curve(0.507, 0.69, 4),
    rows: 12_279,
  },
  {
    name: "demo",
    task: digits,
    number: 3,
    devices: 8,
    roundS: 9,
    planned: 15,
    done: 6,
    state: "running",
    accuracy: curve(0.1, 0.95, 3),
    rows: 360,
  },
  {
    name: "paused",
    task: fashion,
    number: 2,
    devices: 12,
    roundS: 40,
    planned: 20,
    done: 5,
    state: "paused",
    accuracy: curve(0.1, 0.86, 4),
    rows: 10_000,
  },
  {
    name: "ended",
    task: digits,
    number: 2,
    devices: 8,
    roundS: 9,
    planned: 15,
    done: 15,
    state: "completed",
    accuracy: curve(0.1, 0.95, 3),
    rows: 360,
  },
  {
    name: "few",
    task: digits,
    number: 1,
    devices: 26,
    roundS: 46,
    planned: 15,
    done: 2,
    state: "failed",
    accuracy: curve(0.1, 0.95, 6),
    rows: 360,
    failsAt: 3,
    code: "U3_BELOW_T",
  },
  {
    name: "waiting",
    task: hmda,
    number: 9,
    devices: 16,
    roundS: 75,
    planned: 40,
    done: 14,
    state: "waiting",
    accuracy: curve(0.507, 0.69, 4),
    rows: 12_279,
  },
  {
    name: "queued",
    task: hmda,
    number: 10,
    devices: 16,
    roundS: 75,
    planned: 20,
    done: 0,
    state: "queued",
    accuracy: curve(0.507, 0.69, 4),
    rows: 12_279,
  },
];

/** Runs that are over, the newest of which a person stopped. */
function over(): Setup[] {
  const ended = EACH.filter(({ state }) => state === "completed" || state === "failed");
  const stopped: Setup = {
    ...demo(),
    name: "stopped",
    number: 4,
    done: 3,
    state: "failed",
    stopsAtS: 5,
    code: "ABORTED_BY_OPERATOR",
  };
  return [stopped, ...ended];
}

/** More ended runs than one answer holds, and an older run that still goes on. */
function many(): Setup[] {
  const ended = Array.from(
    { length: 60 },
    (_, index): Setup => ({
      ...demo(),
      name: `ended ${index}`,
      number: 60 - index,
      done: 15,
      state: "completed",
    }),
  );
  return [...ended, ...EACH.filter(({ name }) => name === "live" || name === "few")];
}

function demo(): Setup {
  const found = EACH.find(({ name }) => name === "demo");
  if (found === undefined) throw new Error("no demo");
  return found;
}

/** What the pages are looked at with. */
export const castSchema = z.enum(["each", "gallery", "over", "many", "none"]);
type Cast = z.infer<typeof castSchema>;

export function setupsOf(cast: Cast): readonly Setup[] {
  switch (cast) {
    case "each":
      return EACH;
    case "gallery":
      return gallery();
    case "over":
      return over();
    case "many":
      return many();
    case "none":
      return [];
  }
}
