import { expect, test } from "vitest";
import { withoutPassword } from "#coordinator/adapters/database/postgres-tools.ts";

test.each([
  [
    "postgres://me:hunter2@host:5433/x?sslmode=require",
    "postgres://me@host:5433/x?sslmode=require",
    "hunter2",
  ],
  [
    "postgres://me@host/x?password=hunter2&sslmode=require",
    "postgres://me@host/x?sslmode=require",
    "hunter2",
  ],
  ["postgres://me:other@host/x?password=hunter2", "postgres://me@host/x", "hunter2"],
  ["postgres://me:p%40ss@host/x", "postgres://me@host/x", "p@ss"],
  ["postgres://me@host/x?host=%2Fvar%2Frun", "postgres://me@host/x?host=%2Fvar%2Frun", null],
])("[O1] no argument of pg_dump has the password of %s", (databaseUrl, url, password) => {
  expect(withoutPassword(databaseUrl)).toEqual({ url, password });
});
