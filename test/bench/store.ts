import { randomBytes } from "node:crypto";
import { closeSync, fsyncSync, openSync, writeSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openStore } from "#coordinator/adapters/database/open-store.ts";
import type { Store, StoreRecord } from "#coordinator/core/ports/store.ts";
import { startPostgres } from "../kit/worlds/postgres-server.ts";
import { type Bench, type BenchLine, type BenchOptions, compared, quantile } from "./line.ts";

/*
 * Appends one event with its run's row, 2 kB in total, again and again: every step of a round waits for this. SQLite
 * and PostgreSQL wait for the disk here. The baseline, measured alternately, writes the same bytes to a file and syncs
 * it.
 */

const SMALL = { appends: 40, warmUp: 5 };
const FULL = { appends: 3_000, warmUp: 200 };
const RUN_ID = "a".repeat(32);

export const bench: Bench = { name: "store", run };

async function* run({ small = false }: BenchOptions = {}): AsyncIterable<BenchLine> {
  const size = small ? SMALL : FULL;
  const folder = await mkdtemp(join(tmpdir(), "chorus-bench-store-"));
  try {
    const started = performance.now();
    const sqlite = await openStore({ dataDir: join(folder, "sqlite") });
    await sqlite.ping();
    const openMs = performance.now() - started;
    yield* measure("SQLite", sqlite, folder, size);
    yield { name: "SQLite: open, made anew", value: openMs, unit: "ms" };
    yield* measureLists(sqlite);
    await sqlite.close();
    const server = await startPostgres({ durable: true });
    if (server === null) return;
    const postgres = await openStore({
      dataDir: join(folder, "postgres"),
      databaseUrl: await server.createDatabase(),
    });
    yield* measure("PostgreSQL", postgres, folder, size);
    await postgres.close();
    await server.stop();
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function* measure(
  name: string,
  store: Store,
  folder: string,
  { appends, warmUp }: typeof FULL,
): AsyncIterable<BenchLine> {
  const file = openSync(join(folder, `${name}.floor`), "w");
  const append: number[] = [];
  const floor: number[] = [];
  let sequence = 0;
  for (let index = 0; index < warmUp + appends; index++) {
    const { body, view } = documents();
    const started = performance.now();
    const records: StoreRecord[] = [{ type: "run-row", runId: RUN_ID, row: runRow(view) }];
    if (index % 10 === 0) records.push({ type: "note", note: { kind: "run.wait-expired", details: {} } });
    const written = await store.append({ kind: "run", id: RUN_ID }, [
      { event: { sequence: ++sequence, at: 0, event: body }, records },
    ]);
    if (!written.ok) throw new Error(written.error.type);
    const appended = performance.now();
    const text = JSON.stringify([body, view]);
    const writing = performance.now();
    writeSync(file, text);
    fsyncSync(file);
    const end = performance.now();
    if (index < warmUp) continue;
    append.push(appended - started);
    floor.push(end - writing);
  }
  closeSync(file);
  for (const share of [0.5, 0.99]) {
    const value = quantile(append, share);
    const percentile = `p${Math.round(share * 100)}`;
    yield {
      name: `${name}: append, ${percentile}`,
      value,
      unit: "ms",
      ...compared("write and fsync of the same bytes", quantile(floor, share), value),
    };
  }
}

/** A page of the newest notes, in the reading thread, while nothing else happens. */
async function* measureLists(store: Store): AsyncIterable<BenchLine> {
  const times: number[] = [];
  for (let index = 0; index < 50; index++) {
    const started = performance.now();
    await store.listNotes(RUN_ID, { limit: 50 });
    times.push(performance.now() - started);
  }
  yield { name: "SQLite: 50 events listed, p50", value: quantile(times, 0.5), unit: "ms" };
}

function documents() {
  const text = randomBytes(500).toString("hex");
  return { body: { fact: { type: "tick", text } }, view: { text } as never };
}

function runRow(view: never) {
  const fixed = { projectId: "default", task: "digits", taskVersion: 1, number: 1, actor: "bench" };
  return { ...fixed, state: "running", createdAt: 0, newest: null, view };
}
