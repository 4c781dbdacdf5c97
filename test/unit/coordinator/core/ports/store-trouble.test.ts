import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import pg from "pg";
import { expect, test } from "vitest";
import { storeTrouble } from "#coordinator/core/ports/store-trouble.ts";

function thrownBy(act: () => unknown): unknown {
  try {
    act();
  } catch (error) {
    return error;
  }
  throw new Error("nothing was thrown");
}
const coded = (code: string) => Object.assign(new Error("as the platform says it"), { code });

test("SQLite errors are read as full, busy, read-only or a fault", () => {
  const folder = mkdtempSync(join(tmpdir(), "chorus-trouble-"));
  const path = join(folder, "one.db");
  const first = new DatabaseSync(path);
  first.exec("pragma page_size = 512; create table t (a text) strict; pragma max_page_count = 4");
  expect(
    storeTrouble(thrownBy(() => first.prepare("insert into t values (?)").run("x".repeat(100_000)))),
  ).toBe("full");
  first.exec("begin exclusive");
  const second = new DatabaseSync(path);
  expect(storeTrouble(thrownBy(() => second.exec("insert into t values ('x')")))).toBe("away");
  first.exec("rollback");
  const reader = new DatabaseSync(path, { readOnly: true });
  expect(storeTrouble(thrownBy(() => reader.exec("insert into t values ('x')")))).toBe("away");
  expect(storeTrouble(thrownBy(() => first.exec("insert into nothing values (1)")))).toBeNull();
  for (const database of [first, second, reader]) database.close();
  writeFileSync(path, "this file is no database".repeat(100));
  const other = new DatabaseSync(path);
  expect(storeTrouble(thrownBy(() => other.exec("select * from t")))).toBeNull();
  other.close();
  rmSync(folder, { recursive: true });
});

test("an unreachable PostgreSQL is away, even if its socket does not exist", async () => {
  for (const url of ["postgresql://127.0.0.1:1/x", "postgresql://x@localhost/x?host=%2Fno%2Fsuch%2Ffolder"]) {
    const client = new pg.Client({ connectionString: url });
    expect(
      await client.connect().then(
        () => null,
        (error: unknown) => storeTrouble(error),
      ),
    ).toBe("away");
  }
});

test.each([
  ["ENOSPC", "full"],
  ["EDQUOT", "full"],
  ["53100", "full"],
  ["EIO", "away"],
  ["EROFS", "away"],
  ["57P01", "away"],
  ["57P03", "away"],
  ["53300", "away"],
  ["08006", "away"],
  ["ENOENT", null],
  ["23505", null],
  ["ERR_SQLITE_ERROR", null],
] as const)("an error with code %s is %s", (code, trouble) => {
  expect(storeTrouble(coded(code))).toBe(trouble);
  expect(storeTrouble(new Error("wrapped", { cause: coded(code) }))).toBe(trouble);
});

test("errors without a code are read by node-postgres's own texts; anything else is a fault", () => {
  expect(storeTrouble(new Error("Connection terminated unexpectedly"))).toBe("away");
  expect(storeTrouble(new Error("timeout exceeded when trying to connect"))).toBe("away");
  expect(storeTrouble(new AggregateError([coded("ECONNREFUSED")], "both addresses"))).toBe("away");
  for (const fault of [new Error("event 3 follows 1"), "ENOSPC", null, { code: "ENOSPC" }])
    expect(storeTrouble(fault)).toBeNull();
  const loop = new Error("round");
  loop.cause = loop;
  expect(storeTrouble(loop)).toBeNull();
});
