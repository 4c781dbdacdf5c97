import { type Kysely, sql, type Transaction } from "kysely";
import type { AccessRowRecord, AccessStore, NewEnrolment } from "#coordinator/core/ports/access-store.ts";
import { assert } from "#shared/kernel/assert.ts";
import { fromJson, toJson } from "./page.ts";
import type { Database } from "./schema.ts";

/** Prefix of the counters of uses, one per join token. Rows of enrolments may go; uses stay used. */
export const USES_COUNTER = "join-token/";

/** The device was enrolled on another connection at the same time. Rolls the transaction back, and with it the use. */
class EnrolledMeanwhile extends Error {}

/** Rows that access keeps in memory, and enrolments. */
export function accessQueries(
  db: Kysely<Database>,
): Omit<AccessStore, "findProjectData" | "deleteProjectData"> {
  return {
    listAccessRows: async () => {
      const rows = await db.selectFrom("access_row").selectAll().orderBy("kind").orderBy("id").execute();
      return rows.map(({ kind, id, body }) => ({ kind, id, body: fromJson(body) }));
    },
    enrol: async (tokenId, usesMax, enrolment) => {
      assert(usesMax >= 1, `a token for ${usesMax} uses`);
      try {
        return await db.transaction().execute((tx) => enrolIn(tx, tokenId, usesMax, enrolment));
      } catch (error) {
        if (error instanceof EnrolledMeanwhile) return "enrolled";
        throw error;
      }
    },
    findEnrolments: async (identity) => {
      const rows = await db
        .selectFrom("enrolment")
        .selectAll()
        .where("identity", "=", identity)
        .orderBy("enrolled_at")
        .orderBy("token_id")
        .execute();
      return rows.map((row) => ({
        tokenId: row.token_id,
        identity: row.identity,
        projectId: row.project_id,
        task: row.task,
        siteId: row.site_id,
        enrolledAt: row.enrolled_at,
      }));
    },
    deleteEnrolments: async (of) => {
      const all = db.deleteFrom("enrolment");
      if ("siteId" in of) await all.where("site_id", "=", of.siteId).execute();
      else if ("tokenId" in of) await all.where("token_id", "=", of.tokenId).execute();
      else await all.where("identity", "=", of.identity).execute();
    },
    noteSite: async (siteId, body) => {
      await db
        .updateTable("access_row")
        .set({ body: toJson(body) })
        .where("kind", "=", "site")
        .where("id", "=", siteId)
        .execute();
    },
    countJoins: async () => {
      const rows = await db
        .selectFrom("counter")
        .selectAll()
        .where("name", "like", `${USES_COUNTER}%`)
        .execute();
      return new Map(rows.map(({ name, value }) => [name.slice(USES_COUNTER.length), value]));
    },
  };
}

async function enrolIn(
  tx: Transaction<Database>,
  tokenId: string,
  usesMax: number,
  { identity, projectId, task, siteId, enrolledAt }: NewEnrolment,
): Promise<"enrolled" | "spent"> {
  if (await isEnrolled(tx, tokenId, identity)) return "enrolled";
  // A single statement under the row's lock, so that two devices cannot both take the last use.
  const used = await tx
    .insertInto("counter")
    .values({ name: `${USES_COUNTER}${tokenId}`, value: 1 })
    .onConflict((conflict) =>
      conflict
        .column("name")
        .doUpdateSet({ value: sql<number>`counter.value + 1` })
        .where("counter.value", "<", usesMax),
    )
    .returning("value")
    .executeTakeFirst();
  // The last use may have gone to this device, on another connection.
  if (used === undefined) return (await isEnrolled(tx, tokenId, identity)) ? "enrolled" : "spent";
  const values = { token_id: tokenId, identity, project_id: projectId, task, site_id: siteId };
  const enrolled = await tx
    .insertInto("enrolment")
    .values({ ...values, enrolled_at: enrolledAt })
    .onConflict((conflict) => conflict.columns(["token_id", "identity"]).doNothing())
    .returning("identity")
    .executeTakeFirst();
  if (enrolled === undefined) throw new EnrolledMeanwhile();
  return "enrolled";
}

async function isEnrolled(tx: Transaction<Database>, tokenId: string, identity: string): Promise<boolean> {
  const row = await tx
    .selectFrom("enrolment")
    .select("identity")
    .where("token_id", "=", tokenId)
    .where("identity", "=", identity)
    .executeTakeFirst();
  return row !== undefined;
}

export async function writeAccessRow(
  tx: Transaction<Database>,
  { kind, id, body }: AccessRowRecord,
): Promise<void> {
  if (body === null) {
    await tx.deleteFrom("access_row").where("kind", "=", kind).where("id", "=", id).execute();
    return;
  }
  const text = toJson(body);
  await tx
    .insertInto("access_row")
    .values({ kind, id, body: text })
    .onConflict((conflict) => conflict.columns(["kind", "id"]).doUpdateSet({ body: text }))
    .execute();
}
