import type { Kysely, Selectable } from "kysely";
import type { InputRow, Store, TranscriptStore, UploadStore } from "#coordinator/core/store.ts";
import { equalBytes } from "#shared/kernel/bytes.ts";
import { err, ok } from "#shared/kernel/result.ts";
import type { Receipt } from "#shared/protocol/api.ts";
import type { HashHex } from "#shared/protocol/ids.ts";
import type { Database } from "./schema.ts";

type MaterialQueries = Pick<TranscriptStore, "saveMaterial" | "loadMaterial" | "deleteMaterial">;

/** What devices sent over the socket for one session, until its sum is published or given up (S11). */
export function materialQueries(db: Kysely<Database>, projectId: string): MaterialQueries {
  return {
    saveMaterial: async (sid, step, position, bytes) => {
      const saved = await db
        .insertInto("material")
        .values({ sid, step, position, project_id: projectId, bytes })
        .onConflict((conflict) => conflict.columns(["sid", "step", "position"]).doNothing())
        .returning("position")
        .executeTakeFirst();
      if (saved !== undefined) return "saved";
      const stored = await db
        .selectFrom("material")
        .select("bytes")
        .where("sid", "=", sid)
        .where("step", "=", step)
        .where("position", "=", position)
        .executeTakeFirst();
      return stored !== undefined && equalBytes(stored.bytes, bytes) ? "same" : "different";
    },
    loadMaterial: async (sid, step) => {
      const rows = await db
        .selectFrom("material")
        .select(["position", "bytes"])
        .where("sid", "=", sid)
        .where("step", "=", step)
        .orderBy("position")
        .execute();
      return new Map(rows.map((row) => [row.position, new Uint8Array(row.bytes)]));
    },
    deleteMaterial: async (sid) => {
      await db.deleteFrom("material").where("sid", "=", sid).execute();
    },
  };
}

/** Slots and the inputs that were accepted into them. */
export function uploadQueries(db: Kysely<Database>, projectId: string, kind: Store["kind"]): UploadStore {
  return {
    findSlot: async (sid, position) => {
      const row = await db
        .selectFrom("upload_slot")
        .innerJoin("upload_session", "upload_session.sid", "upload_slot.sid")
        .select(["slot_hash", "byte_count", "open"])
        .where("upload_slot.sid", "=", sid)
        .where("position", "=", position)
        .executeTakeFirst();
      return row === undefined
        ? null
        : { slotHash: row.slot_hash, byteCount: row.byte_count, open: Boolean(row.open) };
    },
    acceptInput: (input) =>
      db.transaction().execute(async (tx) => {
        const found = tx
          .selectFrom("upload_session")
          .innerJoin("upload_slot", "upload_slot.sid", "upload_session.sid")
          .select("open")
          .where("upload_session.sid", "=", input.sid)
          .where("position", "=", input.position);
        // Shared with other uploads, exclusive with the sealing of U3: an input is either in before it or refused.
        // In SQLite a transaction that writes is alone from its beginning.
        const locked = kind === "postgresql" ? found.forShare("upload_session") : found;
        const slot = await locked.executeTakeFirst();
        if (slot === undefined) return err({ type: "closed" });
        if (slot.open) {
          const values = { ...inputColumns(input), project_id: projectId };
          await tx
            .insertInto("input")
            .values(values)
            .onConflict((conflict) => conflict.columns(["sid", "position"]).doNothing())
            .execute();
        }
        const stored = await tx
          .selectFrom("input")
          .selectAll()
          .where("sid", "=", input.sid)
          .where("position", "=", input.position)
          .executeTakeFirst();
        if (stored === undefined) return err({ type: "closed" });
        if (stored.sha256 !== input.sha256) return err({ type: "conflict" });
        return ok(receipt(stored));
      }),
    findInput: async (sid, position) => {
      const row = await db
        .selectFrom("input")
        .selectAll()
        .where("sid", "=", sid)
        .where("position", "=", position)
        .executeTakeFirst();
      return row === undefined ? null : inputRow(row);
    },
    listInputs: async (sid) => {
      const rows = await db
        .selectFrom("input")
        .selectAll()
        .where("sid", "=", sid)
        .orderBy("position")
        .execute();
      return rows.map(inputRow);
    },
  };
}

function inputRow(row: Selectable<Database["input"]>): InputRow {
  return {
    sid: row.sid,
    position: row.position,
    sha256: row.sha256,
    root: row.root,
    signature: row.signature,
    byteCount: row.byte_count,
  };
}

function inputColumns(input: InputRow) {
  const { sid, position, sha256, root, signature, byteCount } = input;
  return { sid, position, sha256, root, signature, byte_count: byteCount };
}

function receipt(row: { sid: string; position: number; sha256: string; byte_count: number }): Receipt {
  return {
    sid: row.sid as HashHex,
    position: row.position,
    sha256: row.sha256 as HashHex,
    byteCount: row.byte_count,
  };
}
