import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { openStore } from "#coordinator/adapters/database/open-store.ts";
import { databasePath } from "#coordinator/adapters/database/sqlite/folder.ts";
import { pythonWith } from "../kit/exports/python.ts";
import { watchResident } from "../kit/resident-bytes.ts";
import { asAdmin } from "../kit/worlds/as-admin.ts";
import { freePort, pause, spawnCoordinator } from "../kit/worlds/coordinator-process.ts";
import { type Bench, type BenchLine, type BenchOptions, compared, quantile } from "./line.ts";

/*
 * What MLflow's clients wait for: a batch of 1,000 metrics, a search over many runs, and a file of 100 MB. The official server
 * on SQLite, in the same run, is asked the same; both databases are filled directly. Without an index of Python packages there
 * is no peer.
 */

const SMALL = { batches: 3, searches: 2, sizes: [20, 40], fileBytes: 1_000_000, hasPeer: false };
const FULL = { batches: 40, searches: 15, sizes: [10_000, 100_000], fileBytes: 100_000_000, hasPeer: true };
/** The official server is asked less often, because a search there takes seconds. */
const PEER_TIMES = 5;
const METRICS = 1_000;
const SEARCH = {
  filter: "metrics.acc > 0.5 and params.rate = '0.1'",
  order_by: ["metrics.loss ASC"],
  max_results: 100,
};

export const bench: Bench = { name: "registry", run };

interface Server {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

async function* run({ small = false }: BenchOptions = {}): AsyncIterable<BenchLine> {
  const { batches, searches, sizes, fileBytes, hasPeer } = small ? SMALL : FULL;
  const folder = await mkdtemp(join(tmpdir(), "chorus-bench-registry-"));
  const [first = 0] = sizes;
  try {
    const peer = hasPeer ? await openPeer(folder, first) : null;
    let peerTimes: Times | null = null;
    try {
      if (peer !== null) peerTimes = await measure(peer.server, PEER_TIMES, PEER_TIMES);
    } finally {
      await peer?.close();
    }
    for (const size of sizes) {
      const own = await openOwn(join(folder, `own-${size}`), size);
      try {
        const times = await measure(own, size === first ? batches : 0, searches);
        const beside = size === first ? peerTimes : null;
        if (size === first) yield lineOf(`log-batch of ${METRICS} metrics, p50`, times.batch, beside?.batch);
        yield lineOf(`search over ${size} runs, filtered and ordered, p50`, times.search, beside?.search);
        if (size === first) yield* measureFile(own, fileBytes);
      } finally {
        await own.close();
      }
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function lineOf(name: string, value: number, peerValue: number | undefined): BenchLine {
  const line = { name, value, unit: "ms" };
  return peerValue === undefined ? line : { ...line, ...compared("MLflow's server", peerValue, value) };
}

interface Times {
  /** Milliseconds. */
  readonly batch: number;
  readonly search: number;
}

async function measure(server: Server, batches: number, searches: number): Promise<Times> {
  const { run } = (await ask(server, "/runs/create", { experiment_id: "0", start_time: 1 })) as {
    run: { info: { run_id: string } };
  };
  const times = async (count: number, body: (index: number) => object, path: string) => {
    const taken: number[] = [];
    for (let index = 0; index < count; index++) {
      const asked = body(index);
      const beganMs = performance.now();
      await ask(server, path, asked);
      taken.push(performance.now() - beganMs);
    }
    return count === 0 ? 0 : quantile(taken, 0.5);
  };
  const metricsOf = (index: number) =>
    Array.from({ length: METRICS }, (_, step) => ({
      ...{
        key: `m${step % 10}`,
        // Differs from step to step, and is the same in each run.
        value: (((index * METRICS + step) * 7_919) % 1_000) / 1_000,
        timestamp: 1_700_000_000_000,
        step: index * METRICS + step,
      },
    }));
  const batch = (index: number) => ({ run_id: run.info.run_id, metrics: metricsOf(index) });
  return {
    batch: await times(batches, batch, "/runs/log-batch"),
    search: await times(searches, () => ({ experiment_ids: ["1"], ...SEARCH }), "/runs/search"),
  };
}

async function ask({ url, headers }: Server, path: string, body: object): Promise<unknown> {
  const response = await fetch(`${url}/api/2.0/mlflow${path}`, {
    method: "POST",
    headers: { ...headers, "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${path}: ${response.status} ${text.slice(0, 300)}`);
  return JSON.parse(text);
}

/** A file up and down again, and how far the coordinator's memory grows meanwhile. */
async function* measureFile(
  own: Server & { readonly pid: number },
  byteCount: number,
): AsyncIterable<BenchLine> {
  const address = `${own.url}/api/2.0/mlflow-artifacts/artifacts/bench/file`;
  const put = (bytes: Uint8Array<ArrayBuffer>) =>
    fetch(address, { method: "PUT", headers: own.headers, body: bytes });
  await put(new Uint8Array(randomBytes(1_000_000)));
  const memory = watchResident(own.pid);
  const before = memory.now();
  memory.reset();
  const beganMs = performance.now();
  const sent = await put(new Uint8Array(randomBytes(byteCount)));
  const seconds = (performance.now() - beganMs) / 1_000;
  if (!sent.ok) throw new Error(await sent.text());
  const read = await fetch(address, { headers: own.headers });
  if ((await read.arrayBuffer()).byteLength !== byteCount) throw new Error("the file came back shorter");
  memory.stop();
  const growth = Math.max(0, memory.highest() - before) / 1e6;
  const name = `a file of ${byteCount / 1e6} MB`;
  yield {
    name: `${name}: growth of resident memory`,
    value: growth,
    unit: "MB",
    ...compared("bar", 70, growth),
  };
  yield { name: `${name}: stored durably`, value: seconds, unit: "s" };
}

async function openOwn(dataDir: string, size: number) {
  const store = await openStore({ dataDir });
  await store.ping();
  await store.close();
  fill(databasePath(dataDir), size, {
    run: "insert into tracking_run values (?, 'default', '1', 'run', 'bench', 'FINISHED', ?, 9, '', 0, 0)",
    metric: "insert into tracking_newest_metric values (?, ?, 1, 1, ?, 0)",
    param: "insert into tracking_param values (?, ?, ?)",
    tag: "insert into tracking_tag values (?, ?, ?)",
  });
  const running = await spawnCoordinator({ port: await freePort(), dataDir });
  const close = async () => void (await running.stop());
  return { url: running.url, pid: running.pid, headers: asAdmin(running.url), close };
}

interface Inserts {
  readonly run: string;
  readonly metric: string;
  readonly param: string;
  readonly tag: string;
}

/** The same runs for both: three metrics, three params and two tags each, in experiment 1. */
function fill(path: string, size: number, inserts: Inserts): void {
  const database = new DatabaseSync(path);
  try {
    const [run, metric, param, tag] = [inserts.run, inserts.metric, inserts.param, inserts.tag].map((text) =>
      database.prepare(text),
    );
    database.exec("begin");
    for (let index = 0; index < size; index++) {
      const runId = index.toString(16).padStart(32, "0");
      run?.run(runId, index);
      for (const [key, value] of [
        ["acc", (index % 100) / 100],
        ["loss", (index * 7_919) % 10_007],
        ["f1", 0.5],
      ] as const)
        metric?.run(runId, key, value);
      param?.run(runId, "rate", index % 2 === 0 ? "0.1" : "0.2");
      param?.run(runId, "epochs", "3");
      param?.run(runId, "seed", String(index));
      tag?.run(runId, "kind", "bench");
      tag?.run(runId, "mlflow.runName", "run");
    }
    database.exec("commit");
  } finally {
    database.close();
  }
}

/** The official server on SQLite; null without an index of Python packages. */
async function openPeer(
  folder: string,
  size: number,
): Promise<{ readonly server: Server; close(): Promise<void> } | null> {
  const python = await pythonWith(["mlflow==3.17.2"]);
  if (python === null) return null;
  const path = join(folder, "peer.db");
  const script = join(folder, "make.py");
  await writeFile(
    script,
    `import mlflow\nmlflow.set_tracking_uri("sqlite:///${path}")\nmlflow.create_experiment("bench")\n`,
  );
  await once(spawn(python, [script], { cwd: folder, stdio: "ignore" }), "exit");
  fill(path, size, {
    run: `insert into runs (run_uuid, name, user_id, status, start_time, end_time, lifecycle_stage, artifact_uri,
      experiment_id) values (?, 'run', 'bench', 'FINISHED', ?, 9, 'active', '', 1)`,
    metric:
      "insert into latest_metrics (run_uuid, key, step, timestamp, value, is_nan) values (?, ?, 1, 1, ?, 0)",
    param: "insert into params (run_uuid, key, value) values (?, ?, ?)",
    tag: "insert into tags (run_uuid, key, value) values (?, ?, ?)",
  });
  const port = await freePort();
  const options = [
    "server",
    "--backend-store-uri",
    `sqlite:///${path}`,
    "--port",
    String(port),
    "--workers",
    "1",
  ];
  const child = spawn(join(dirname(python), "mlflow"), options, {
    cwd: folder,
    stdio: "ignore",
    detached: true,
  });
  const url = `http://127.0.0.1:${port}`;
  await untilHealthy(url, child);
  const close = async () => {
    // With the workers that it has started.
    if (child.pid !== undefined) process.kill(-child.pid, "SIGTERM");
    await once(child, "exit");
  };
  return { server: { url, headers: {} }, close };
}

async function untilHealthy(url: string, child: ChildProcess): Promise<void> {
  for (let tries = 0; tries < 600; tries++) {
    if (child.exitCode !== null) throw new Error("MLflow's server ended");
    const answer = await fetch(`${url}/health`).catch(() => null);
    if (answer?.ok === true) return;
    await pause(200);
  }
  throw new Error("MLflow's server did not start");
}
