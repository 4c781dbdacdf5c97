import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { IDLE_MS, LIFE_MS } from "#coordinator/adapters/auth/sessions.ts";
import { openStore } from "#coordinator/adapters/database/open-store.ts";
import { retentionTable } from "#coordinator/core/views/retention.ts";

test("[A83] the retention table has every table of the schema after all migrations, once", async () => {
  const dataDir = await mkdtemp(join(tmpdir(), "chorus-retention-"));
  await (await openStore({ dataDir })).close();
  const database = new DatabaseSync(join(dataDir, "chorus.db"), { readOnly: true });
  const all = database.prepare("pragma table_list").all() as { name: string }[];
  database.close();
  await rm(dataDir, { recursive: true, force: true });
  const tables = all.map(({ name }) => name).filter((name) => !/^(sqlite_|kysely_)/.test(name));
  expect(tables.length).toBeGreaterThan(30);
  const rows = retentionTable({ endedRowsDays: 90, keptRounds: 0 });
  const said = rows.filter(({ kind }) => kind === "table").map(({ place }) => place);
  expect(tables.filter((name) => !said.includes(name))).toEqual([]);
  expect(said.length).toBe(new Set(said).size);
  const sessions = rows.find(({ place }) => place === "auth_session");
  expect(sessions?.kept).toContain(`${LIFE_MS / 86_400_000} days at most, ${IDLE_MS / 3_600_000} hours`);
});
