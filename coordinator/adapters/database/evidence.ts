import type { Kysely } from "kysely";
import type { EvidenceRow, EvidenceStore } from "#coordinator/core/ports/store.ts";
import { assert, present } from "#shared/kernel/assert.ts";
import { projectOfSession } from "./places.ts";
import type { Database } from "./schema.ts";

/** The unpublished part of sums, kept apart from blobs, which are served by hash. */
export function evidenceQueries(db: Kysely<Database>, projectId: string): EvidenceStore {
  async function loadEvidence(sid: string): Promise<EvidenceRow | null> {
    const row = await db
      .selectFrom("evidence")
      .select(["salt", "words"])
      .where("sid", "=", sid)
      .executeTakeFirst();
    return row === undefined ? null : { salt: new Uint8Array(row.salt), words: new Uint8Array(row.words) };
  }
  return {
    saveEvidence: async (sid, { salt, words }) => {
      await db
        .insertInto("evidence")
        .values({ sid, project_id: projectOfSession(sid, projectId), salt, words, sealed: null })
        .onConflict((conflict) => conflict.column("sid").doNothing())
        .execute();
      return present(await loadEvidence(sid), `evidence of session ${sid}`);
    },
    loadEvidence,
    sealEvidence: async (sid, sealed) => {
      const row = await db
        .updateTable("evidence")
        .set((column) => ({ sealed: column.fn.coalesce("sealed", column.val(sealed)) }))
        .where("sid", "=", sid)
        .returning("sid")
        .executeTakeFirst();
      assert(row !== undefined, `session ${sid} has evidence`);
    },
    loadSealedEvidence: async (sid) => {
      const row = await db.selectFrom("evidence").select("sealed").where("sid", "=", sid).executeTakeFirst();
      return row?.sealed == null ? null : new Uint8Array(row.sealed);
    },
    deleteEvidence: async (sid) => {
      await db.deleteFrom("evidence").where("sid", "=", sid).execute();
    },
  };
}
