import type { Kysely } from "kysely";
import type { Database } from "./schema.ts";

/** Belongs to the database as a whole, so to no project. */
const ROW = { project_id: "", name: "instance" } as const;

/** The instance that the database belongs to, or null. */
export async function readInstance(db: Kysely<Database>): Promise<string | null> {
  const row = await db
    .selectFrom("setting")
    .select("value")
    .where("project_id", "=", ROW.project_id)
    .where("name", "=", ROW.name)
    .executeTakeFirst();
  return row?.value ?? null;
}

/** Keeps an existing id. */
export async function writeInstance(db: Kysely<Database>, instanceId: string): Promise<void> {
  await db
    .insertInto("setting")
    .values({ ...ROW, value: instanceId })
    .onConflict((conflict) => conflict.columns(["project_id", "name"]).doNothing())
    .execute();
}
