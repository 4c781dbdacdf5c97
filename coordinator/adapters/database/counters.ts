import { type Kysely, sql } from "kysely";
import type { Database } from "./schema.ts";

/** The next number of a counter, from 1 and without gaps. The row stays locked until the transaction ends. */
export async function nextNumber(db: Kysely<Database>, name: string): Promise<number> {
  const { value } = await nextNumberQuery(db, name, 1).executeTakeFirstOrThrow();
  return value;
}

/** Takes `count` numbers and returns the last of them. */
export function nextNumberQuery(db: Kysely<Database>, name: string, count: number) {
  return db
    .insertInto("counter")
    .values({ name, value: count })
    .onConflict((conflict) =>
      conflict.column("name").doUpdateSet({ value: sql<number>`counter.value + excluded.value` }),
    )
    .returning("value");
}
