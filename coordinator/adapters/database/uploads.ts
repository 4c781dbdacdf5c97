import type { Insertable, Kysely, Selectable } from "kysely";
import type { InputRow, Store, TranscriptStore, UploadStore } from "#coordinator/core/store.ts";
import { equalBytes } from "#shared/kernel/bytes.ts";
import { err, ok } from "#shared/kernel/result.ts";
import type { Receipt } from "#shared/protocol/api.ts";
import type { HashHex } from "#shared/protocol/ids.ts";
import { compileOnce } from "./compiled.ts";
import type { Database } from "./schema.ts";

type MaterialQueries = Pick<
  TranscriptStore,
  "saveMaterial" | "loadMaterial" | "deleteMaterial" | "unforgotten"
>;

/** What devices sent over the socket for one session, until its sum is published or given up (S11). */
export function materialQueries(db: Kysely<Database>, projectId: string): MaterialQueries {
  const insert = compileOnce<Insertable<Database["material"]>, { position: number }>((value) =>
    db
      .insertInto("material")
      .values({
        sid: value("sid"),
        step: value("step"),
        position: value("position"),
        project_id: value("project_id"),
        bytes: value("bytes"),
      })
      .onConflict((conflict) => conflict.columns(["sid", "step", "position"]).doNothing())
      .returning("position"),
  );
  return {
    saveMaterial: async (sid, step, position, bytes) => {
      const saved = await insert(db, { sid, step, position, project_id: projectId, bytes });
      if (saved.length > 0) return "saved";
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
    unforgotten: async () => {
      const rows = await db
        .selectFrom("material")
        .select("sid")
        .where("project_id", "=", projectId)
        .union(
          db
            .selectFrom("evidence")
            .select("sid")
            .where("project_id", "=", projectId)
            .where("sealed", "is", null),
        )
        .execute();
      return rows.map(({ sid }) => sid);
    },
  };
}

/** Slots and the inputs that were accepted into them. */
export function uploadQueries(db: Kysely<Database>, projectId: string, kind: Store["kind"]): UploadStore {
  const queries = acceptQueries(db, kind);
  return {
    findSlot: async (sid, position) => {
      const [row] = await queries.slot(db, { sid, position });
      return row === undefined
        ? null
        : { slotHash: row.slot_hash, byteCount: row.byte_count, open: Boolean(row.open) };
    },
    acceptInput: (input) =>
      db.transaction().execute(async (tx) => {
        const [slot] = await queries.lockedSlot(tx, input);
        if (slot === undefined) return err({ type: "closed" });
        if (slot.open) await queries.insert(tx, { ...inputColumns(input), project_id: projectId });
        const [stored] = await queries.input(tx, input);
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

interface Place {
  readonly sid: string;
  readonly position: number;
}

/** What an upload executes. */
function acceptQueries(db: Kysely<Database>, kind: Store["kind"]) {
  return {
    slot: compileOnce<Place, { slot_hash: string; byte_count: number; open: boolean | number }>((value) =>
      db
        .selectFrom("upload_slot")
        .innerJoin("upload_session", "upload_session.sid", "upload_slot.sid")
        .select(["slot_hash", "byte_count", "open"])
        .where("upload_slot.sid", "=", value("sid"))
        .where("position", "=", value("position")),
    ),
    lockedSlot: compileOnce<Place, { open: boolean | number }>((value) => {
      const found = db
        .selectFrom("upload_session")
        .innerJoin("upload_slot", "upload_slot.sid", "upload_session.sid")
        .select("open")
        .where("upload_session.sid", "=", value("sid"))
        .where("position", "=", value("position"));
      // Shared with other uploads, exclusive with the sealing of U3: an input is either in before it or refused.
      // In SQLite a transaction that writes is alone from its beginning.
      return kind === "postgresql" ? found.forShare("upload_session") : found;
    }),
    insert: compileOnce<Insertable<Database["input"]>, unknown>((value) =>
      db
        .insertInto("input")
        .values({
          sid: value("sid"),
          position: value("position"),
          project_id: value("project_id"),
          sha256: value("sha256"),
          root: value("root"),
          signature: value("signature"),
          byte_count: value("byte_count"),
        })
        .onConflict((conflict) => conflict.columns(["sid", "position"]).doNothing()),
    ),
    input: compileOnce<Place, Selectable<Database["input"]>>((value) =>
      db
        .selectFrom("input")
        .selectAll()
        .where("sid", "=", value("sid"))
        .where("position", "=", value("position")),
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
