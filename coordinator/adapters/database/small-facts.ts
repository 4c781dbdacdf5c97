import { type Kysely, sql } from "kysely";
import type { SettingStore } from "#coordinator/core/store.ts";
import { present } from "#shared/kernel/assert.ts";
import type { Database } from "./schema.ts";

/** Join tokens, devices seen and named settings. */
export function smallFacts(db: Kysely<Database>, projectId: string): SettingStore {
  async function getSetting(name: string): Promise<string | null> {
    const row = await db
      .selectFrom("setting")
      .select("value")
      .where("project_id", "=", projectId)
      .where("name", "=", name)
      .executeTakeFirst();
    return row?.value ?? null;
  }
  return {
    putJoinToken: async (tokenHash, uses, expiresAt) => {
      const terms = { project_id: projectId, uses_left: uses, expires_at: expiresAt };
      await db
        .insertInto("join_token")
        .values({ token_hash: tokenHash, ...terms })
        .onConflict((conflict) => conflict.column("token_hash").doUpdateSet(terms))
        .execute();
    },
    useJoinToken: async (tokenHash, now) => {
      // One statement: two devices cannot both take the last use.
      const used = await db
        .updateTable("join_token")
        .set({ uses_left: sql<number>`uses_left - 1` })
        .where("token_hash", "=", tokenHash)
        .where("uses_left", ">", 0)
        .where("expires_at", ">", now)
        .returning("uses_left")
        .executeTakeFirst();
      return used !== undefined;
    },
    noteDevice: async (identity, at) => {
      await db
        .insertInto("device")
        .values({ identity, project_id: projectId, first_seen_at: at })
        .onConflict((conflict) => conflict.column("identity").doNothing())
        .execute();
    },
    getSetting,
    putSettingOnce: async (name, value) => {
      await db
        .insertInto("setting")
        .values({ project_id: projectId, name, value })
        .onConflict((conflict) => conflict.columns(["project_id", "name"]).doNothing())
        .execute();
      return present(await getSetting(name), `setting ${name}`);
    },
  };
}
