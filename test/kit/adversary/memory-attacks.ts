import { present } from "#shared/kernel/assert.ts";
import type { Edit } from "../planted.ts";
import type { Attack, Loot, World } from "./attack.ts";
import { FIRST, type Offer, RoguePages, STEPS, type Step } from "./rogue-pages.ts";

/*
 * What a device remembers (PROTOCOL.md section 6), in real sessions whose memory outlives the page. Two sums over one
 * model, the second without the victim, differ by the victim's input. Four pages, t = 3, no collusion.
 */

const NEXT_ATTEMPT: Offer = { ...FIRST, attempt: 2 };
const NEXT_ROUND: Offer = { ...FIRST, round: 2 };
const OTHER_RUN: Offer = { ...FIRST, runId: "0192f0c0ffee70008000000000000bad" };

/** The memory that a sum of the model was opened. */
const REVEALED: readonly Edit[] = [
  {
    file: "shared/secagg/participation.ts",
    find: 'if (revealedIn !== null) return err("ALREADY_REVEALED");',
    replace: "",
  },
  {
    file: "client/core/memory.ts",
    find: 'if (before !== null && !noised) return err("ALREADY_REVEALED");',
    replace: "",
  },
];
const MARK: Edit = {
  file: "shared/secagg/participation.ts",
  find: 'return rises ? mayUse(remembered, wanted) : err("REPLAY");',
  replace: "return mayUse(remembered, wanted);",
};
const USED: Edit = {
  file: "shared/secagg/participation.ts",
  find: 'return usedBy === null || usedBy === runId ? ok(undefined) : err("REPLAY");',
  replace: "return ok(undefined);",
};
const WRITE_FIRST: readonly Edit[] = [
  {
    file: "client/core/round/part.ts",
    find: "if (step.remember !== null) {",
    replace:
      "if (step.send !== null) this.#delivery.send(this.#draft, step.send);\n if (step.remember !== null) {",
  },
];

/** A second sum without the victim, and its difference from the first. */
async function difference(siege: RoguePages, first: Uint32Array | null, again: Offer): Promise<Loot | null> {
  const victim = present(siege.pages[0], "the victim");
  const { own } = victim;
  const second = await siege.attempt(again, { silent: [victim] });
  if (first === null || second === null || own === null) return null;
  const words = first.map((word, index) => word - (second[index] as number));
  return { kind: "rounded-input", words, own, others: siege.pages.length - 1 };
}

function secondSum(what: string, again: Offer, without: readonly Edit[]): Attack {
  return {
    name: `[S10] the same model again ${what}, after its sum was opened`,
    section: "6",
    stoppedBy: "ALREADY_REVEALED",
    without,
    run: async (world) => {
      const siege = await RoguePages.create(world, 4);
      const first = await siege.attempt(FIRST);
      await siege.reload();
      return difference(siege, first, again);
    },
  };
}

/** Reloads every page in the middle of an attempt, then offers that attempt from its start, and then the next ones. */
function restart(after: Step): Attack {
  return {
    name: `[S5] [S10] every page is loaded again after ${after}, and the same attempt offered anew`,
    section: "6",
    stoppedBy: after === "unmask" ? "ALREADY_REVEALED" : "REPLAY",
    without: [...REVEALED, MARK],
    run: async (world) => {
      const siege = await RoguePages.create(world, 4);
      const stopped = await siege.attempt(FIRST, { until: after });
      await siege.reload();
      const first = (await siege.attempt(FIRST)) ?? stopped ?? (await siege.attempt(NEXT_ATTEMPT));
      await siege.reload();
      return difference(siege, first, { ...FIRST, attempt: 3 });
    },
  };
}

/** Every page dies at a write; what it would have sent after the write must not have left. */
async function killedAt(world: World, key: string): Promise<Loot | null> {
  const siege = await RoguePages.create(world, 4);
  for (const { cells } of siege.pages) cells.diesAt = key;
  const first = await siege.attempt(FIRST);
  await siege.reload();
  return difference(siege, first, NEXT_ATTEMPT);
}

/** A page is killed at a write and reloaded. It must not have sent anything that its memory does not know. */
function unwritten(cell: string, step: Step, stoppedBy: string | null = null): Attack {
  return {
    name: `[S10] every page is killed at the write before ${step}`,
    section: "6",
    stoppedBy,
    without: WRITE_FIRST,
    run: async (world) => {
      const siege = await RoguePages.create(world, 4);
      for (const { cells } of siege.pages) cells.diesAt = cell;
      await siege.attempt(FIRST);
      const remembered = siege.pages.some(({ cells }) => cells.knows(cell));
      return { kind: "forgotten", sent: siege.hasSent(step), remembered };
    },
  };
}

/** Attempt after attempt, none opened, each with new noise or rounding over the same update. */
async function beyondBudget(world: World): Promise<Loot> {
  const limit = 2;
  const siege = await RoguePages.create(world, 3, limit);
  for (const attempt of [1, 2, 3]) {
    await siege.attempt({ ...FIRST, attempt }, { until: "input" });
    await siege.reload();
  }
  return { kind: "overspent", inputs: siege.inputCount / siege.pages.length, limit };
}

/** The coordinator falls silent for a day. */
function silence(after: Step): Attack {
  return {
    name: `[S15] a coordinator that falls silent after ${after}`,
    section: "9",
    stoppedBy: null,
    without: [
      {
        file: "client/core/round/part.ts",
        find: 'this.#cancelTimer = after(deadlineInMs + PATIENCE_MS, () => this.#finish("dropped", "TIMEOUT"));',
        replace: "void after;",
      },
    ],
    run: async (world) => {
      const siege = await RoguePages.create(world, 4);
      await siege.attempt(FIRST, { until: after });
      for (let hour = 0; hour < 24; hour++) await siege.settleThrough(3_600_000);
      return { kind: "stuck", activities: siege.pages.map(({ device }) => device.view.activity) };
    },
  };
}

export const MEMORY_ATTACKS: readonly Attack[] = [
  secondSum("in the next attempt", NEXT_ATTEMPT, REVEALED),
  secondSum("in the next round", NEXT_ROUND, REVEALED),
  secondSum("in another run", OTHER_RUN, [...REVEALED, USED]),
  ...STEPS.map(restart),
  {
    name: "[S10] every page is killed at the write before its shares leave, and the model offered again",
    section: "6",
    stoppedBy: null,
    without: WRITE_FIRST,
    run: (world) => killedAt(world, "revealed/"),
  },
  // Without an advert the script asks why; the dying page said that it could not write.
  unwritten("mark/", "advertise", "STORAGE_FULL"),
  unwritten("used/", "input"),
  unwritten("ballot/", "confirm"),
  {
    name: "[S10] more inputs than a device's own limit of participations",
    section: "9 IDLE",
    stoppedBy: "BUDGET",
    without: [
      {
        file: "client/core/memory.ts",
        find: 'if (Number(spent.after) > participationsMax) return err("BUDGET");',
        replace: "",
      },
      {
        file: "client/core/round/prepare.ts",
        find: 'if ((await ports.memory.participations(task.slug)) >= roundsMax) return declineRound("BUDGET");',
        replace: "",
      },
    ],
    run: beyondBudget,
  },
  ...STEPS.map(silence),
];
