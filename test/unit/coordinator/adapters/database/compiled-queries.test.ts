import { DatabaseSync } from "node:sqlite";
import { Kysely } from "kysely";
import { expect, test } from "vitest";
import { compileOnce } from "#coordinator/adapters/database/compiled.ts";
import type { Database } from "#coordinator/adapters/database/schema.ts";
import { NodeSqliteDialect } from "#coordinator/adapters/database/sqlite/dialect.ts";

interface Counter {
  readonly name: string;
  readonly value: number;
}

function openCounters() {
  const database = new DatabaseSync(":memory:");
  database.exec("create table counter (name text primary key, value integer) strict");
  return new Kysely<Database>({ dialect: new NodeSqliteDialect(database) });
}

test("a query compiled once runs with the values of each call, in a transaction too", async () => {
  const db = openCounters();
  let built = 0;
  const insert = compileOnce<Counter, unknown>((value) => {
    built += 1;
    return db.insertInto("counter").values({ name: value("name"), value: value("value") });
  });
  await insert(db, { name: "first", value: 1 });
  await db.transaction().execute((tx) => insert(tx, { name: "second", value: 2 }));
  await expect(
    db.transaction().execute(async (tx) => {
      await insert(tx, { name: "third", value: 3 });
      throw new Error("rolled back");
    }),
  ).rejects.toThrow("rolled back");
  expect(await db.selectFrom("counter").selectAll().orderBy("value").execute()).toEqual([
    { name: "first", value: 1 },
    { name: "second", value: 2 },
  ]);
  expect(built).toBe(1);
  await db.destroy();
});

test("a compiled query may use a value twice, keeps its own constants, and refuses to run if a value is missing", async () => {
  const db = openCounters();
  for (const counter of [
    { name: "a", value: 1 },
    { name: "b", value: 2 },
    { name: "b2", value: 5 },
  ])
    await db.insertInto("counter").values(counter).execute();
  const above = compileOnce<{ value: number }, { name: string }>((value) =>
    db
      .selectFrom("counter")
      .select("name")
      .where((where) => where.or([where("value", ">", value("value")), where("value", "=", value("value"))]))
      .where("value", "<", 5),
  );
  expect(await above(db, { value: 2 })).toEqual([{ name: "b" }]);
  expect(await above(db, { value: 1 })).toEqual([{ name: "a" }, { name: "b" }]);
  await expect(above(db, {} as { value: number })).rejects.toThrow("the query has no value for value");
  await db.destroy();
});
