import { assert } from "#shared/kernel/assert.ts";
import { err, ok } from "#shared/kernel/result.ts";
import { mayAdvertise, mayUse, type Remembered } from "#shared/secagg/participation.ts";
import type { Memory } from "./ports.ts";

/*
 * What a device remembers, as rules over durable text cells (PROTOCOL.md section 6).
 *
 * | key                  | value                    | rule                                      |
 * | -------------------- | ------------------------ | ----------------------------------------- |
 * | mark/{runId}         | round.attempt            | strictly increasing                       |
 * | used/{modelHash}     | runId                    | one run for each model                    |
 * | spent/{task}         | participations so far    | at most the device's own limit            |
 * | paid/{sid}           | task, or "refunded"      | one participation for each session        |
 * | ballot/{sid}         | hash of the sets         | never changes                             |
 * | revealed/{modelHash} | sid                      | never changes                             |
 *
 * What a device remembers of public logs is in log-memory.ts. A refund needs a proof (`provesLeftOut`) that no message
 * carries yet, so no participation is ever given back.
 */

/** A change of one cell; `before` is null if the cell did not exist. */
export interface CellChange {
  readonly key: string;
  readonly before: string | null;
  readonly after: string;
}

/** Text by key. */
export interface Cells {
  get(key: string): Promise<string | null>;
  /**
   * Applies all changes or none; durable once it resolves to true. False if a cell no longer holds its `before`.
   * @throws if it is unknown whether the changes are durable.
   */
  swap(changes: readonly CellChange[]): Promise<boolean>;
}

const REFUNDED = "refunded";

/** @param participationsMax  The device's own limit for one task. */
export function createMemory(cells: Cells, participationsMax: number): Memory {
  const spentOf = async (taskId: string) => Number((await cells.get(`spent/${taskId}`)) ?? "0");
  /**
   * Changes the count by one. The cell does not exist before the first participation, and is "0" after a full refund.
   */
  const spending = async (taskId: string, change: 1 | -1): Promise<CellChange> => {
    const key = `spent/${taskId}`;
    const before = await cells.get(key);
    return { key, before, after: String(Number(before ?? "0") + change) };
  };
  const rememberedOf = async (runId: string, modelHash: string): Promise<Remembered> => {
    const keys = [`mark/${runId}`, `used/${modelHash}`, `revealed/${modelHash}`];
    const [mark = null, usedBy = null, revealedIn = null] = await Promise.all(
      keys.map((key) => cells.get(key)),
    );
    return { mark: readMark(mark), usedBy, revealedIn };
  };
  return {
    check: async (wanted, modelHash) => mayAdvertise(await rememberedOf(wanted.runId, modelHash), wanted),
    async mark(runId, round, attempt) {
      const key = `mark/${runId}`;
      const before = await cells.get(key);
      const remembered = { mark: readMark(before), usedBy: null, revealedIn: null };
      const allowed = mayAdvertise(remembered, { runId, round, attempt, noised: false });
      if (!allowed.ok) return err("REPLAY");
      const written = await cells.swap([{ key, before, after: `${round}.${attempt}` }]);
      return written ? ok(undefined) : err("REPLAY");
    },
    async use({ modelHash, runId, taskId, sid, noised }) {
      const remembered = await rememberedOf(runId, modelHash);
      const allowed = mayUse(remembered, { runId, noised });
      if (!allowed.ok) return allowed;
      // A session has exactly one input: paying for it twice would mask a second one.
      if ((await cells.get(`paid/${sid}`)) !== null) return err("REPLAY");
      const spent = await spending(taskId, 1);
      if (Number(spent.after) > participationsMax) return err("BUDGET");
      const written = await cells.swap([
        { key: `used/${modelHash}`, before: remembered.usedBy, after: runId },
        { key: `paid/${sid}`, before: null, after: taskId },
        spent,
      ]);
      return written ? ok(undefined) : err("REPLAY");
    },
    async refund(taskId, sid) {
      if ((await cells.get(`paid/${sid}`)) !== taskId) return;
      await cells.swap([{ key: `paid/${sid}`, before: taskId, after: REFUNDED }, await spending(taskId, -1)]);
    },
    async vote(sid, setHash) {
      const key = `ballot/${sid}`;
      const before = await cells.get(key);
      if (before === setHash) return ok(undefined);
      if (before !== null) return err("EQUIVOCATION");
      return (await cells.swap([{ key, before, after: setHash }])) ? ok(undefined) : err("EQUIVOCATION");
    },
    async reveal({ modelHash, sid, noised }) {
      const key = `revealed/${modelHash}`;
      const before = await cells.get(key);
      if (before === sid) return ok(undefined);
      if (before !== null && !noised) return err("ALREADY_REVEALED");
      return (await cells.swap([{ key, before, after: sid }])) ? ok(undefined) : err("ALREADY_REVEALED");
    },
    participations: spentOf,
  };
}

function readMark(cell: string | null): Remembered["mark"] {
  if (cell === null) return null;
  const [round, attempt] = cell.split(".").map(Number);
  assert(round !== undefined && attempt !== undefined, "a mark has two numbers");
  return { round, attempt };
}
