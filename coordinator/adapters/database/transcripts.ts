import type { Kysely } from "kysely";
import type { TranscriptStore } from "#coordinator/core/ports/store.ts";
import { nextNumber } from "./counters.ts";
import { inBatches } from "./page.ts";
import { projectOfRound } from "./places.ts";
import type { Database } from "./schema.ts";

type TranscriptQueries = Omit<TranscriptStore, "loadMaterial" | "deleteMaterial" | "unforgotten">;

/** What is kept of rounds for an auditor. */
export function transcriptQueries(db: Kysely<Database>, projectId: string): TranscriptQueries {
  return {
    saveTranscript: (transcript) =>
      db.transaction().execute(async (tx) => {
        const { sid, roundId, task, shard, bytes } = transcript;
        const stored = await tx
          .selectFrom("transcript")
          .select("sid")
          .where("sid", "=", sid)
          .executeTakeFirst();
        if (stored !== undefined) return;
        const sequence = await nextNumber(tx, "transcript");
        const project_id = projectOfRound(roundId, projectId);
        const values = { sid, project_id, sequence, round_id: roundId, task, shard, bytes };
        await tx.insertInto("transcript").values(values).execute();
      }),
    keepOpenings: (sid, sealed) =>
      db.transaction().execute(async (tx) => {
        const rows = [...sealed].map(([position, bytes]) => ({ sid, position, bytes }));
        for (const batch of inBatches(rows))
          await tx
            .insertInto("sealed_opening")
            .values(batch)
            .onConflict((conflict) => conflict.columns(["sid", "position"]).doNothing())
            .execute();
        await tx.deleteFrom("material").where("sid", "=", sid).execute();
      }),
    loadTranscript: async (roundId, shard) => {
      const row = await db
        .selectFrom("transcript")
        .select(["sid", "task", "bytes"])
        .where("round_id", "=", roundId)
        .where("shard", "=", shard)
        .executeTakeFirst();
      return row === undefined
        ? null
        : { sid: row.sid, roundId, task: row.task, shard, bytes: new Uint8Array(row.bytes) };
    },
    findTranscript: async (roundId, shard) => {
      const row = await db
        .selectFrom("transcript")
        .select("sid")
        .where("round_id", "=", roundId)
        .where("shard", "=", shard)
        .executeTakeFirst();
      return row?.sid ?? null;
    },
    loadOpenings: async (sid) => {
      const rows = await db
        .selectFrom("sealed_opening")
        .select(["position", "bytes"])
        .where("sid", "=", sid)
        .orderBy("position")
        .execute();
      return new Map(rows.map((row) => [row.position, new Uint8Array(row.bytes)]));
    },
    listTranscripts: async () => {
      const rows = await db
        .selectFrom("transcript")
        .leftJoin("round", "round.round_id", "transcript.round_id")
        .select(["sid", "transcript.round_id", "task", "shard", "phase"])
        .orderBy("sequence", "desc")
        .execute();
      return rows.map(({ round_id: roundId, ...row }) => ({ ...row, roundId }));
    },
    deleteTranscript: async (sid) => {
      await db.deleteFrom("transcript").where("sid", "=", sid).execute();
    },
  };
}
