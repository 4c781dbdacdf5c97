import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openStore } from "#coordinator/adapters/database/open-store.ts";
import type { RunSearchText } from "#coordinator/core/coordinator.ts";
import { RunSearchDesk } from "#coordinator/core/desks/run-search.ts";
import { ALL_READABLE, type Store } from "#coordinator/core/ports/store.ts";
import { startPostgres } from "../kit/worlds/postgres-server.ts";
import { type Bench, type BenchLine, type BenchOptions, compared, quantile } from "./line.ts";
import { type BareDatabase, openBare } from "./search/bare.ts";
import { FIGURES, TASKS } from "./search/rows.ts";

/*
 * Searches of the page "Experiments": a page of runs, with how many are found. Each is held against the bare database, which
 * in the same run and in turn counts the runs of which the same is asked, by the shortest SQL that says so.
 */

const SMALL = { runs: 60, times: 3, limit: 20 };
const FULL = { runs: 10_000, times: 40, limit: 50 };

export const bench: Bench = { name: "search", run };

interface Search {
  readonly name: string;
  readonly text: RunSearchText;
  /** Counts the same runs. */
  readonly floor: string;
}

const of = (filter: string, order = ""): RunSearchText => ({ filter, order });
const [task] = TASKS;
const [figure] = FIGURES;
const metricRows = `select count(*) from tracking_newest_metric where key = '${figure}' and value > 0.5`;

const SEARCHES: readonly Search[] = [
  { name: "newest first", text: of(""), floor: "select count(*) from run" },
  {
    name: "one task, completed",
    text: of(`task = '${task}' AND state = 'completed'`),
    floor: `select count(*) from run where task = '${task}' and state = 'completed'`,
  },
  { name: "by a figure", text: of(`metrics.${figure} > 0.5`), floor: metricRows },
  {
    name: "by a figure, ordered by it",
    text: of(`metrics.${figure} > 0.5`, `metrics.${figure} DESC`),
    floor: metricRows,
  },
  {
    name: "by a param, ordered by another",
    text: of("params.training.epochs = '3'", "params.training.rate"),
    floor: "select count(*) from tracking_param where key = 'training.epochs' and value = '3'",
  },
  {
    name: "by rounds and set, ordered by a figure",
    text: of(`rounds > 10 AND measured_on = '${"a".repeat(64)}'`, `metrics.${figure} DESC`),
    floor: "select count(*) from run where newest is not null",
  },
  {
    name: "by name",
    text: of("run_name LIKE '%run 1%'"),
    floor: "select count(*) from tracking_run where name like '%run 1%'",
  },
];

async function* run({ small = false, only }: BenchOptions = {}): AsyncIterable<BenchLine> {
  const size = small ? SMALL : FULL;
  const folder = await mkdtemp(join(tmpdir(), "chorus-bench-search-"));
  try {
    if (only === undefined || "SQLite".includes(only)) yield* measure("SQLite", folder, undefined, size);
    if (only !== undefined && !"PostgreSQL".includes(only)) return;
    const server = await startPostgres();
    if (server === null) return;
    try {
      yield* measure("PostgreSQL", folder, await server.createDatabase(), size);
    } finally {
      await server.stop();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function* measure(
  name: string,
  folder: string,
  databaseUrl: string | undefined,
  { runs, times, limit }: typeof FULL,
): AsyncIterable<BenchLine> {
  const dataDir = join(folder, name);
  const open = () => openStore({ dataDir, ...(databaseUrl !== undefined && { databaseUrl }) });
  const made = await open();
  await made.ping();
  await made.close();
  const bare = await openBare(dataDir, databaseUrl);
  await bare.fill(runs);
  const store = await open();
  try {
    await store.ping();
    for (const search of SEARCHES)
      yield* linesOf(
        `${name}, ${runs} runs: ${search.name}`,
        await timesOf(store, bare, search, times, limit),
      );
  } finally {
    await store.close();
    await bare.close();
  }
}

interface Times {
  readonly searchMs: number[];
  readonly floorMs: number[];
  /** Of the last page, whose runs lie behind all others. */
  readonly lastMs: number[];
}

async function timesOf(
  store: Store,
  bare: BareDatabase,
  { text, floor }: Search,
  times: number,
  limit: number,
): Promise<Times> {
  const desk = new RunSearchDesk(store, () => null);
  const took: Times = { searchMs: [], floorMs: [], lastMs: [] };
  // The first fills the caches of both.
  for (let index = -1; index < times; index++) {
    const beganMs = performance.now();
    const page = await desk.search(ALL_READABLE, text, { limit, cursor: undefined });
    const searchedMs = performance.now();
    await bare.ask(floor);
    const flooredMs = performance.now();
    if (!page.ok) throw new Error(page.error.message);
    const { items, foundCount } = page.value;
    if (items.length === 0) throw new Error(`nothing is found by ${text.filter}`);
    const cursor = `o${Math.max(0, foundCount - limit)}`;
    const lastBeganMs = performance.now();
    const last = await desk.search(ALL_READABLE, text, { limit, cursor });
    const lastMs = performance.now() - lastBeganMs;
    if (!last.ok || last.value.items.length !== Math.min(limit, foundCount)) throw new Error("no last page");
    if (index < 0) continue;
    took.searchMs.push(searchedMs - beganMs);
    took.floorMs.push(flooredMs - searchedMs);
    took.lastMs.push(lastMs);
  }
  return took;
}

function* linesOf(name: string, { searchMs, floorMs, lastMs }: Times): Generator<BenchLine> {
  for (const [label, share] of [
    ["p50", 0.5],
    ["p99", 0.99],
  ] as const) {
    const value = quantile(searchMs, share);
    const peer = compared("the bare count", quantile(floorMs, share), value);
    yield { name: `${name}, ${label}`, value, unit: "ms", ...peer };
  }
  yield { name: `${name}, last page, p50`, value: quantile(lastMs, 0.5), unit: "ms" };
}
