import type { Kysely } from "kysely";
import type { SettingStore } from "#coordinator/core/ports/store.ts";
import { present } from "#shared/kernel/assert.ts";
import type { Database } from "./schema.ts";

/** Devices seen and named settings. */
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
    noteDevice: async (identity, at) => {
      await db
        .insertInto("device")
        .values({ identity, project_id: projectId, first_seen_at: at })
        .onConflict((conflict) => conflict.column("identity").doNothing())
        .execute();
    },
    hasDevice: async (identity) => {
      const row = await db
        .selectFrom("device")
        .select("identity")
        .where("identity", "=", identity)
        .where("project_id", "=", projectId)
        .executeTakeFirst();
      return row !== undefined;
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
