import { assert } from "#shared/kernel/assert.ts";
import { err, ok } from "#shared/kernel/result.ts";
import type { Memory } from "./ports.ts";

/*
 * What a device remembers, as rules over durable cells of text (SECAGG section 6).
 *
 * | key                  | value                    | rule                                      |
 * | -------------------- | ------------------------ | ----------------------------------------- |
 * | mark/{runId}         | round.attempt            | rises strictly                            |
 * | used/{modelHash}     | runId                    | one run a model                           |
 * | spent/{task}         | participations so far    | at most the device's own limit            |
 * | ballot/{sid}         | hash of the sets         | one value ever                            |
 * | revealed/{modelHash} | sid                      | one value ever                            |
 */

/** A change of one cell; `before` is null where there was none. */
export interface CellChange {
  readonly key: string;
  readonly before: string | null;
  readonly after: string;
}

/** Text by key. */
export interface Cells {
  get(key: string): Promise<string | null>;
  /**
   * All changes or none, durable when it resolves to true; false where a cell does not hold its `before` any more.
   * @throws where it is not known to be durable.
   */
  swap(changes: readonly CellChange[]): Promise<boolean>;
}

/** @param participationsMax  The device's own limit for one task. */
export function createMemory(cells: Cells, participationsMax: number): Memory {
  const spentOf = async (taskId: string) => Number((await cells.get(`spent/${taskId}`)) ?? "0");
  return {
    async mark(runId, round, attempt) {
      const key = `mark/${runId}`;
      const before = await cells.get(key);
      if (before !== null && !rises(before, round, attempt)) return err("REPLAY");
      const written = await cells.swap([{ key, before, after: `${round}.${attempt}` }]);
      return written ? ok(undefined) : err("REPLAY");
    },
    async use(modelHash, runId, taskId) {
      if ((await cells.get(`revealed/${modelHash}`)) !== null) return err("ALREADY_REVEALED");
      const used = await cells.get(`used/${modelHash}`);
      if (used !== null && used !== runId) return err("REPLAY");
      const spent = await spentOf(taskId);
      if (spent >= participationsMax) return err("BUDGET");
      const written = await cells.swap([
        { key: `used/${modelHash}`, before: used, after: runId },
        { key: `spent/${taskId}`, before: spent === 0 ? null : String(spent), after: String(spent + 1) },
      ]);
      return written ? ok(undefined) : err("REPLAY");
    },
    async vote(sid, setHash) {
      const key = `ballot/${sid}`;
      const before = await cells.get(key);
      if (before === setHash) return ok(undefined);
      if (before !== null) return err("EQUIVOCATION");
      return (await cells.swap([{ key, before, after: setHash }])) ? ok(undefined) : err("EQUIVOCATION");
    },
    async reveal(modelHash, sid) {
      const key = `revealed/${modelHash}`;
      const before = await cells.get(key);
      if (before === sid) return ok(undefined);
      if (before !== null) return err("ALREADY_REVEALED");
      return (await cells.swap([{ key, before, after: sid }])) ? ok(undefined) : err("ALREADY_REVEALED");
    },
    hasRevealed: async (modelHash) => (await cells.get(`revealed/${modelHash}`)) !== null,
    participations: spentOf,
  };
}

function rises(before: string, round: number, attempt: number): boolean {
  const [markedRound, markedAttempt] = before.split(".").map(Number);
  assert(markedRound !== undefined && markedAttempt !== undefined, "a mark has two numbers");
  return round > markedRound || (round === markedRound && attempt > markedAttempt);
}
