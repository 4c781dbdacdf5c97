import { z } from "zod";
import { hashHexSchema, logSizeSchema } from "#shared/protocol/ids.ts";
import type { SeenLog } from "#shared/secagg/seen-log.ts";
import { evidenceCell, storedEvidence } from "./log-pin.ts";
import type { Cells } from "./memory.ts";
import type { LogMemory } from "./ports.ts";

/*
 * What a device remembers of public logs (A40), each by its first key, which is what was agreed to.
 *
 * | key                | value                                                       | rule                          |
 * | ------------------ | ----------------------------------------------------------- | ----------------------------- |
 * | log/{key}          | the newest checkpoint, with size, root and key, as JSON     | the size never falls          |
 * | log-evidence/{key} | what contradicted it, as the text of a file; "" for nothing | a person alone takes it away  |
 */

const seenSchema = z.strictObject({
  size: logSizeSchema,
  root: hashHexSchema,
  key: hashHexSchema,
  checkpoint: z.string(),
});

export function createLogMemory(cells: Cells): LogMemory {
  return {
    seen: async (logKey) => readSeen(await cells.get(`log/${logKey}`)),
    async see(logKey, before, after) {
      const key = `log/${logKey}`;
      const cell = await cells.get(key);
      if (!isSame(readSeen(cell), before) || (before?.size ?? 0) > after.size) return false;
      return cells.swap([{ key, before: cell, after: JSON.stringify(after) }]);
    },
    evidence: (logKey) => storedEvidence(cells, logKey),
    async keepEvidence(logKey, file) {
      const key = evidenceCell(logKey);
      const before = await cells.get(key);
      if (before === null || before === "") await cells.swap([{ key, before, after: file }]);
    },
    async trustAnew(logKey) {
      const keys = [`log/${logKey}`, evidenceCell(logKey)];
      const befores = await Promise.all(keys.map((key) => cells.get(key)));
      await cells.swap(keys.map((key, index) => ({ key, before: befores[index] ?? null, after: "" })));
    },
  };
}

/** Checkpoints of one state differ in the cosignatures that have come. */
function isSame(left: SeenLog | null, right: SeenLog | null): boolean {
  return left?.size === right?.size && left?.root === right?.root && left?.key === right?.key;
}

/** @throws if the cell is damaged: what it said must not be forgotten silently. */
function readSeen(cell: string | null): SeenLog | null {
  return cell === null || cell === "" ? null : seenSchema.parse(JSON.parse(cell));
}
