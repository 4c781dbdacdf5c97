import { type Cells, createMemory } from "#client/core/memory.ts";
import type { Memory } from "#client/core/ports.ts";

/*
 * What every store of a device's memory must do. The cases need only a store, so they run in a page as well as here.
 * Each throws if the store fails it.
 */

/** A store, fresh for each case. */
export interface CellsUnderTest {
  readonly cells: Cells;
  /** The same store as a later life finds it, without having been closed. */
  reopen(): Promise<Cells>;
}

interface Case {
  readonly name: string;
  /** False if the store need not outlive its process. */
  readonly durable: boolean;
  run(store: CellsUnderTest): Promise<void>;
}

const [RUN, OTHER_RUN] = ["a".repeat(32), "b".repeat(32)] as const;
const [MODEL, OTHER_MODEL] = ["1".repeat(64), "2".repeat(64)] as const;
const [SID, OTHER_SID, THIRD_SID] = ["3".repeat(64), "4".repeat(64), "5".repeat(64)] as const;
const LIMIT = 2;

function expectSame(got: unknown, wanted: unknown): void {
  const [left, right] = [JSON.stringify(got), JSON.stringify(wanted)];
  if (left !== right) throw new Error(`${left} where ${right} is right`);
}

/** The code of a refusal, or "taken". */
async function verdict(written: Promise<Awaited<ReturnType<Memory["use" | "mark" | "vote" | "check"]>>>) {
  const result = await written;
  return result.ok ? "taken" : result.error;
}

/** Without noise unless stated otherwise. */
function calls(cells: Cells, noised = false) {
  const memory = createMemory(cells, LIMIT);
  return {
    memory,
    check: (runId: string, round: number, attempt: number, modelHash: string) =>
      verdict(memory.check({ runId, round, attempt, noised }, modelHash)),
    mark: (runId: string, round: number, attempt: number) => verdict(memory.mark(runId, round, attempt)),
    use: (modelHash: string, runId: string, taskId: string, sid: string) =>
      verdict(memory.use({ modelHash, runId, taskId, sid, noised })),
    vote: (sid: string, setHash: string) => verdict(memory.vote(sid, setHash)),
    reveal: (modelHash: string, sid: string) => verdict(memory.reveal({ modelHash, sid, noised })),
  };
}

export const CELLS_CASES: readonly Case[] = [
  {
    name: "an empty cell is null, and a swap from null fills it once",
    durable: false,
    run: async ({ cells }) => {
      expectSame(await cells.get("a"), null);
      expectSame(await cells.swap([{ key: "a", before: null, after: "1" }]), true);
      expectSame(await cells.swap([{ key: "a", before: null, after: "2" }]), false);
      expectSame(await cells.get("a"), "1");
    },
  },
  {
    name: "changes go together or not at all",
    durable: false,
    run: async ({ cells }) => {
      const swapped = await cells.swap([
        { key: "a", before: null, after: "1" },
        { key: "b", before: "nothing", after: "1" },
      ]);
      expectSame(swapped, false);
      expectSame([await cells.get("a"), await cells.get("b")], [null, null]);
    },
  },
  {
    name: "of many that race for one cell, one gets it",
    durable: false,
    run: async ({ cells }) => {
      const racers = Array.from({ length: 8 }, (_, racer) => String(racer));
      const won = await Promise.all(
        racers.map((after) => cells.swap([{ key: "race", before: null, after }])),
      );
      expectSame(won.filter(Boolean).length, 1);
      expectSame(await cells.get("race"), racers[won.indexOf(true)]);
    },
  },
  {
    name: "what was acknowledged is there in the next life, and compares there",
    durable: true,
    run: async ({ cells, reopen }) => {
      await cells.swap([
        { key: "a", before: null, after: "1" },
        { key: "é \u{1f511} \n", before: null, after: '"' },
      ]);
      await cells.swap([{ key: "a", before: "1", after: "2" }]);
      const next = await reopen();
      expectSame([await next.get("a"), await next.get("é \u{1f511} \n")], ["2", '"']);
      expectSame(await next.swap([{ key: "a", before: "1", after: "3" }]), false);
      expectSame(await next.swap([{ key: "a", before: "2", after: "3" }]), true);
      expectSame(await (await reopen()).get("a"), "3");
    },
  },
  {
    name: "a mark rises strictly, attempts within rounds, each run for itself",
    durable: false,
    run: async ({ cells }) => {
      const { mark, check } = calls(cells);
      const asked: [string, number, number, string][] = [
        [RUN, 2, 1, "taken"],
        [RUN, 2, 1, "REPLAY"],
        [RUN, 1, 3, "REPLAY"],
        [RUN, 2, 2, "taken"],
        [RUN, 10, 1, "taken"],
        [RUN, 9, 1, "REPLAY"],
        [OTHER_RUN, 1, 1, "taken"],
      ];
      for (const [runId, round, attempt, wanted] of asked) {
        // The check before training gives the same answer and writes nothing.
        expectSame(await check(runId, round, attempt, MODEL), wanted);
        expectSame(await mark(runId, round, attempt), wanted);
      }
    },
  },
  {
    name: "one model is used in one run; each session is one participation, up to the limit",
    durable: false,
    run: async ({ cells }) => {
      const { memory, use, check } = calls(cells);
      expectSame(await use(MODEL, RUN, "digits", SID), "taken");
      expectSame(await use(MODEL, OTHER_RUN, "digits", OTHER_SID), "REPLAY");
      expectSame(await check(OTHER_RUN, 1, 1, MODEL), "REPLAY");
      expectSame(await check(RUN, 1, 2, MODEL), "taken");
      expectSame(await use(MODEL, RUN, "digits", SID), "REPLAY");
      expectSame(await memory.participations("digits"), 1);
      expectSame(await use(MODEL, RUN, "digits", OTHER_SID), "taken");
      expectSame(await use(OTHER_MODEL, RUN, "digits", THIRD_SID), "BUDGET");
      expectSame(await memory.participations("digits"), 2);
      expectSame(await use(OTHER_MODEL, RUN, "hmda", THIRD_SID), "taken");
    },
  },
  {
    name: "one ballot a session, one opening a model; the same again is the same",
    durable: false,
    run: async ({ cells }) => {
      const { vote, reveal, use, check } = calls(cells);
      expectSame(await vote(SID, "x"), "taken");
      expectSame(await vote(SID, "x"), "taken");
      expectSame(await vote(SID, "y"), "EQUIVOCATION");
      expectSame(await vote(OTHER_SID, "y"), "taken");
      expectSame(await check(RUN, 1, 1, MODEL), "taken");
      expectSame(await reveal(MODEL, SID), "taken");
      expectSame(await reveal(MODEL, SID), "taken");
      expectSame(await reveal(MODEL, OTHER_SID), "ALREADY_REVEALED");
      expectSame(await check(RUN, 1, 1, MODEL), "ALREADY_REVEALED");
      expectSame(await use(MODEL, RUN, "digits", SID), "ALREADY_REVEALED");
    },
  },
  {
    name: "with noise a model may be opened again, and only the limit ends it",
    durable: false,
    run: async ({ cells }) => {
      const { memory, use, reveal, check } = calls(cells, true);
      expectSame(await use(MODEL, RUN, "digits", SID), "taken");
      expectSame(await reveal(MODEL, SID), "taken");
      expectSame(await check(OTHER_RUN, 1, 1, MODEL), "taken");
      expectSame(await use(MODEL, OTHER_RUN, "digits", OTHER_SID), "taken");
      expectSame(await reveal(MODEL, OTHER_SID), "taken");
      expectSame(await use(MODEL, RUN, "digits", THIRD_SID), "BUDGET");
      expectSame(await memory.participations("digits"), LIMIT);
    },
  },
  {
    name: "a participation is given back once, to the session that paid it, which never gets another input",
    durable: false,
    run: async ({ cells }) => {
      const { memory, use } = calls(cells, true);
      await use(MODEL, RUN, "digits", SID);
      await use(MODEL, RUN, "digits", OTHER_SID);
      await memory.refund("digits", THIRD_SID);
      await memory.refund("hmda", SID);
      expectSame(await memory.participations("digits"), 2);
      await memory.refund("digits", SID);
      await memory.refund("digits", SID);
      expectSame(await memory.participations("digits"), 1);
      expectSame(await use(MODEL, RUN, "digits", SID), "REPLAY");
      expectSame(await use(MODEL, RUN, "digits", THIRD_SID), "taken");
    },
  },
  {
    name: "a device to which every participation was given back takes part again",
    durable: false,
    run: async ({ cells }) => {
      const { memory, use } = calls(cells, true);
      await use(MODEL, RUN, "digits", SID);
      await memory.refund("digits", SID);
      expectSame(await memory.participations("digits"), 0);
      expectSame(await use(MODEL, RUN, "digits", OTHER_SID), "taken");
      expectSame(await memory.participations("digits"), 1);
    },
  },
  {
    name: "every rule holds in the next life",
    durable: true,
    run: async ({ cells, reopen }) => {
      const first = calls(cells);
      await first.mark(RUN, 3, 2);
      await first.use(MODEL, RUN, "digits", SID);
      await first.vote(SID, "x");
      await first.reveal(MODEL, SID);
      const next = calls(await reopen());
      expectSame(await next.mark(RUN, 3, 2), "REPLAY");
      expectSame(await next.check(RUN, 3, 2, OTHER_MODEL), "REPLAY");
      expectSame(await next.check(RUN, 3, 3, MODEL), "ALREADY_REVEALED");
      expectSame(await next.use(MODEL, RUN, "digits", OTHER_SID), "ALREADY_REVEALED");
      expectSame(await next.vote(SID, "y"), "EQUIVOCATION");
      expectSame(await next.reveal(MODEL, OTHER_SID), "ALREADY_REVEALED");
      expectSame(await next.memory.participations("digits"), 1);
    },
  },
];
