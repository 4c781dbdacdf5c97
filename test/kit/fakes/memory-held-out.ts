import { createHash } from "node:crypto";
import type { EarlierHeldOut, HeldOutFiles, HeldOutPlace } from "#coordinator/core/ports/held-out-files.ts";
import { assert } from "#shared/kernel/assert.ts";
import { err, ok } from "#shared/kernel/result.ts";
import { wireError } from "#shared/protocol/errors.ts";
import { type HeldOutSet, heldOutSetSchema } from "#shared/task/held-out.ts";

/** Held-out rows in memory; they outlive the coordinator that received them. */
export interface MemoryHeldOut {
  /** Bytes by "slug hash". */
  readonly sets: Map<string, Buffer>;
  readonly uploads: Map<string, Buffer>;
  /** By "slug-vN". */
  readonly earlier: Map<string, Buffer>;
  /** Checks wait for this. */
  gate: Promise<void>;
}

export function memoryHeldOut(): MemoryHeldOut {
  return { sets: new Map(), uploads: new Map(), earlier: new Map(), gate: Promise.resolve() };
}

/** Rows that judge the models of a task, as if someone had uploaded them. The evaluator of the kit reads none. */
export const FAKE_SET: HeldOutSet = heldOutSetSchema.parse({
  hash: "5e".repeat(32),
  format: "csv",
  byteCount: 4_000,
  rowCount: 300,
  balance: { kind: "classes", counts: ["x", "y", "z"].map((name) => ({ name, rows: 100 })) },
  card: { source: "Made up.", licence: "None.", ground: "Tests.", collected: "2026" },
  versions: [1, 2, 3],
  setAt: "2026-01-01T00:00:00.000Z",
  setBy: "ada",
});

/**
 * Checks no rows: a file has as many as it has lines after the first. One with the word "bad" is refused, and one with
 * "v2" does not fit version 2 of a task.
 */
export function memoryHeldOutFiles(memory: MemoryHeldOut): HeldOutFiles {
  const bytesAt = (place: HeldOutPlace) => {
    const bytes =
      "uploadId" in place
        ? memory.uploads.get(place.uploadId)
        : memory.sets.get(`${place.slug} ${place.hash}`);
    assert(bytes !== undefined, "the file is there");
    return bytes;
  };
  return {
    offset: async (uploadId) => memory.uploads.get(uploadId)?.length ?? 0,
    receive: async ({ uploadId, offset, byteCount }, body) => {
      const known = memory.uploads.get(uploadId) ?? Buffer.alloc(0);
      if (offset > known.length) return err({ type: "bad-offset" });
      const parts: Uint8Array[] = [known.subarray(0, offset)];
      for await (const part of body) parts.push(Uint8Array.from(part));
      const bytes = Buffer.concat(parts);
      if (bytes.length > byteCount) return err({ type: "bad-length" });
      memory.uploads.set(uploadId, bytes);
      return ok(bytes.length < byteCount ? "partial" : "all-here");
    },
    check: async (place, _format, { features, version }, onProgress, signal) => {
      const bytes = bytesAt(place);
      await memory.gate;
      signal.throwIfAborted();
      const text = bytes.toString("utf8");
      const rowCount = Math.max(1, text.trim().split("\n").length - 1);
      onProgress({ rowsChecked: rowCount, checkedShare: 1 });
      if (text.includes("bad") || (text.includes("v2") && version === 2))
        return err({
          error: wireError("HELD_OUT_REFUSED", "1 of 2 rows do not fit the task. Nothing was stored."),
          problems: [{ row: 2, sentence: "Row 2: no class." }],
        });
      const hash = createHash("sha256").update(bytes).digest("hex");
      const counts = (features.classes ?? []).map((name, index) => ({
        name,
        rows: index === 0 ? rowCount : 0,
      }));
      return ok({ hash, rowCount, balance: { kind: "classes", counts } });
    },
    keep: async (uploadId, slug, hash) => {
      const bytes = bytesAt({ uploadId });
      memory.sets.set(`${slug} ${hash}`, bytes);
      memory.uploads.delete(uploadId);
    },
    discard: async (uploadId) => void memory.uploads.delete(uploadId),
    has: async (slug, hash) => hash === FAKE_SET.hash || memory.sets.has(`${slug} ${hash}`),
    remove: async (slug, kept) => {
      for (const name of [...memory.sets.keys()])
        if (name.startsWith(`${slug} `) && name !== `${slug} ${kept}`) memory.sets.delete(name);
    },
    earlier: async (slug, version): Promise<EarlierHeldOut | null> => {
      const name = `${slug}-v${version}`;
      const bytes = memory.earlier.get(name);
      if (bytes === undefined) return null;
      return {
        format: "csv",
        byteCount: bytes.length,
        copyInto: async (uploadId) => void memory.uploads.set(uploadId, bytes),
        remove: async () => void memory.earlier.delete(name),
      };
    },
    close: async () => {},
  };
}
