import type { Insertable, Kysely, Selectable } from "kysely";
import type { InputRow, TranscriptStore, UploadStore } from "#coordinator/core/ports/store.ts";
import type { Position } from "#shared/kernel/places.ts";
import { compileOnce } from "./compiled.ts";
import type { Database } from "./schema.ts";

type MaterialQueries = Pick<TranscriptStore, "loadMaterial" | "deleteMaterial" | "unforgotten">;

/** What devices sent over the socket for a session, kept until its sum is published or given up (S11). */
export function materialQueries(db: Kysely<Database>): MaterialQueries {
  return {
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
    unforgotten: async () => {
      const rows = await db
        .selectFrom("material")
        .select("sid")
        .union(db.selectFrom("evidence").select("sid").where("sealed", "is", null))
        .execute();
      return rows.map(({ sid }) => sid);
    },
  };
}

/** Slots and the inputs accepted into them. */
export function uploadQueries(db: Kysely<Database>): UploadStore {
  const slot = slotQuery(db);
  return {
    findSlot: async (sid, position) => {
      const [row] = await slot(db, { sid, position });
      return row === undefined
        ? null
        : { slotHash: row.slot_hash, byteCount: row.byte_count, open: Boolean(row.open) };
    },
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

interface Place {
  readonly sid: string;
  readonly position: Position;
}

function slotQuery(db: Kysely<Database>) {
  return compileOnce<Place, { slot_hash: string; byte_count: number; open: boolean | number }>((value) =>
    db
      .selectFrom("upload_slot")
      .innerJoin("upload_session", "upload_session.sid", "upload_slot.sid")
      .select(["slot_hash", "byte_count", "open"])
      .where("upload_slot.sid", "=", value("sid"))
      .where("position", "=", value("position")),
  );
}

/** Writes a device's message in its event's transaction. */
export function sentQueries(db: Kysely<Database>) {
  return {
    slot: slotQuery(db),
    insertInput: compileOnce<Insertable<Database["input"]>, unknown>((value) =>
      db.insertInto("input").values({
        sid: value("sid"),
        position: value("position"),
        project_id: value("project_id"),
        sha256: value("sha256"),
        root: value("root"),
        signature: value("signature"),
        byte_count: value("byte_count"),
      }),
    ),
    putMaterial: compileOnce<Insertable<Database["material"]>, unknown>((value) =>
      db
        .insertInto("material")
        .values({
          sid: value("sid"),
          step: value("step"),
          position: value("position"),
          project_id: value("project_id"),
          bytes: value("bytes"),
        })
        .onConflict((conflict) =>
          conflict.columns(["sid", "step", "position"]).doUpdateSet({ bytes: value("bytes") }),
        ),
    ),
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
