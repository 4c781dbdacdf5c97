import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { pino } from "pino";
import { placeOf } from "#shared/vector/layout.ts";
import { bitsPerWeight, update } from "#shared/vector/segments/update.ts";
import { layoutOf } from "#shared/vector/task-layout.ts";
import { openAuditorKey } from "../../adapters/auditor-key.ts";
import { openLog } from "../../adapters/log.ts";
import { primitives, randomBytes } from "../../adapters/system.ts";
import { ensureWebBuild } from "../../adapters/web-build.ts";
import { bundledTask } from "../../data/tasks.ts";
import { endOnFault, type RunningCoordinator, startCoordinator } from "../../main.ts";
import { type EdgePlan, type Edges, startEdges } from "./edges.ts";
import { followRun, summarise } from "./follow.ts";
import { DEMO_HELP, type DemoOptions, FASHION_MNIST, parseDemoOptions } from "./options.ts";
import { type Cut, cutDataset, writePart } from "./shards.ts";
import { ensureTask, settleOpenRuns } from "./task-version.ts";

/** The coordinator's 30 s, after its edges have left. */
const STOP_MS = 35_000;
/** Edges that have not joined within this time are not waited for. */
const JOIN_MS = 180_000;
/** Committed rounds that can be verified afterwards. */
const KEPT_ROUNDS = 1;
/** Long enough for every start of an edge in one run of the demo. */
const TOKEN_LIFE_MS = 24 * 3_600_000;

let running: RunningCoordinator | null = null;
let edges: Edges | null = null;
let stopping: Promise<void> | null = null;

/**
 * The whole demo, from the options of the command line on; the process ends with its code.
 *
 * @param onStarted  Is given what to do when the process is told to end.
 */
export async function runDemo(onStarted: (stop: () => Promise<void>) => void): Promise<void> {
  const parsed = parseDemoOptions(process.argv.slice(2));
  if (!parsed.ok) {
    if (parsed.error === "help") {
      console.log(DEMO_HELP);
      process.exit(0);
    }
    console.error(parsed.error.sentence);
    process.exit(2);
  }
  const options: DemoOptions = { ...parsed.value, dataDir: resolve(parsed.value.dataDir) };
  mkdirSync(options.dataDir, { recursive: true });
  // The terminal is for people; the coordinator's own lines go to a file.
  const log = openLog({
    destination: pino.destination({ dest: join(options.dataDir, "coordinator.log"), sync: true }),
  });
  endOnFault(log);
  onStarted(() => {
    if (stopping === null) console.error("Stopping. A run that is open goes on at the next start.");
    return stop();
  });
  try {
    process.exitCode = await main(options, log);
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    log.error({ error }, "the demo failed");
    process.exitCode = 1;
  }
  if (process.exitCode !== 0 || options.exit) {
    await stop();
    process.exit();
  }
}

/** Edges first: they leave their rounds properly while the coordinator still listens. */
function stop(): Promise<void> {
  stopping ??= (async () => {
    setTimeout(() => process.exit(1), STOP_MS).unref();
    await edges?.stop();
    await running?.stop();
  })();
  return stopping;
}

/** The exit code, once the run has ended. */
async function main(options: DemoOptions, log: ReturnType<typeof openLog>): Promise<number> {
  const begunAt = performance.now();
  const begunAtUnixMs = Date.now();
  const { features, evaluation } = bundledTask(options.task, options.clientCount, 1);
  const cut = await cutDataset(options.datasetPath, {
    ...options,
    features,
    heldOutFraction: evaluation.heldOutFraction,
  });
  if (!cut.ok) {
    console.error(options.task === "fashion-mnist" ? `${cut.error}\n${FASHION_MNIST}` : cut.error);
    return 2;
  }
  if (!options.apiOnly) {
    await ensureWebBuild(
      () => console.log("Building the pages (once, and after changes) ..."),
      (text) => process.stderr.write(text),
    );
  }
  const auditorFile = join(options.dataDir, "auditor.key");
  const auditorKey = await openAuditorKey(auditorFile, options.dataDir, primitives, randomBytes);
  running = await startCoordinator({
    keeping: { rounds: KEPT_ROUNDS, auditorKey },
    port: options.port,
    dataDir: options.dataDir,
    databaseUrl: process.env["DATABASE_URL"],
    tls: options.tls,
    publicUrl: process.env["CHORUS_PUBLIC_URL"],
    web: options.apiOnly ? false : "built",
    log,
    // The log goes to a file: the terminal must say why the demo ends.
    onReplaced: (sentence) => {
      console.error(sentence);
      process.exit(1);
    },
  });
  const { coordinator, url, status } = running;
  const task = await ensureTask(
    coordinator,
    options.dataDir,
    options.task,
    options.clientCount,
    cut.value.heldOut,
    options.ring,
  );
  console.log(
    `Auditor's key  ${auditorFile}: opens what is kept of the newest round, see npm run verify -- --help`,
  );
  console.log(`Dashboard  ${url}`);
  console.log(`Join page  ${url}/join/${task.slug}`);
  if (status.joinBaseUrl !== url) {
    const reach = status.secureContext ? "" : "  (other devices need HTTPS: --tls-cert and --tls-key)";
    console.log(`From other devices  ${status.joinBaseUrl}/join/${task.slug}${reach}`);
  }
  console.log(
    `Demo: ${options.clientCount} devices. ${options.clientCount < 10 ? "Too few to hide anyone; for trying out only." : "For trying out only."}`,
  );
  const layout = layoutOf(task, "train", null);
  console.log(
    `Ring: ${options.ring} bits a coordinate; a masked update is ${4 * layout.length} bytes, ${bitsPerWeight(placeOf(layout, update)).toFixed(1)} bits a weight.`,
  );
  const open = await settleOpenRuns(coordinator, task, (line) => console.log(line));
  edges = await startEdges(await planEdges(options, cut.value, running));
  if (isStopping()) return 0;
  await waitForEdges(running, edges, task.slug, options);
  if (isStopping()) return 0;

  const run = open ?? (await launch(running, options));
  console.log(
    open === null
      ? `Run ${run.number}, ${run.roundsPlanned} rounds: ${url}/runs/${run.runId}`
      : `Run ${run.number} goes on with ${run.roundsCommitted} of ${run.roundsPlanned} rounds committed: ${url}/runs/${run.runId}`,
  );
  let first = true;
  const followed = await followRun(
    coordinator,
    run.runId,
    begunAtUnixMs,
    (line) => {
      console.log(line);
      if (!first) return;
      first = false;
      log.info({ seconds: (performance.now() - begunAt) / 1_000 }, "first round of the demo");
    },
    isStopping,
  );
  if (followed === null) return 0;
  if (followed.run.state === "failed") {
    console.error(
      `The run has failed (${followed.run.code ?? "no code"}). See ${join(options.dataDir, "coordinator.log")}.`,
    );
    return 1;
  }
  console.log(
    options.exit
      ? JSON.stringify(summarise(followed.run, followed.rounds))
      : `The run has ended. Everything stays up: launch another on ${url}, or stop with Ctrl-C.`,
  );
  return 0;
}

function isStopping(): boolean {
  return stopping !== null;
}

async function planEdges(
  options: DemoOptions,
  cut: Cut,
  { access, url }: RunningCoordinator,
): Promise<EdgePlan[]> {
  const base = join(options.dataDir, "demo", options.task);
  return Promise.all(
    cut.shards.map(async (shard, index) => {
      const folder = join(base, `edge-${index + 1}`);
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      return {
        coordinatorUrl: url,
        task: options.task,
        dataPath: await writePart(join(folder, "data"), shard),
        joinToken: await access.mintJoinToken(1, TOKEN_LIFE_MS),
        folder,
        certPath: options.tls === null ? null : resolve(options.tls.certPath),
      };
    }),
  );
}

/** @throws Error where so few joined that no round can begin. */
async function waitForEdges(
  { coordinator }: RunningCoordinator,
  edges: Edges,
  slug: string,
  { clientCount, task, dataDir }: DemoOptions,
): Promise<void> {
  const until = performance.now() + JOIN_MS;
  let joined = 0;
  while (performance.now() < until && !isStopping()) {
    joined = (await coordinator.tasks.taskView(slug))?.deviceCount ?? 0;
    if (joined + edges.ended.length >= clientCount) break;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  for (const { code, logPath } of edges.ended)
    console.error(`An edge ended with code ${code}; see ${logPath}.`);
  const least = bundledTask(task, clientCount, 1).aggregation.cohortSizeMin;
  if (joined < least && !isStopping()) {
    throw new Error(
      `Only ${joined} of ${clientCount} edges joined, and a round needs ${least}. Their messages are in ${join(dataDir, "demo")}.`,
    );
  }
  console.log(`${joined} edges have joined.`);
}

async function launch({ coordinator }: RunningCoordinator, { task, rounds, seed }: DemoOptions) {
  const launched = await coordinator.runs.launch({ task, rounds, seed, actor: "demo" });
  if (!launched.ok) throw new Error(launched.error.message);
  return launched.value;
}
