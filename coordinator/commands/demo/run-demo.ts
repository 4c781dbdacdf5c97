import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { pino } from "pino";
import { primitives, randomBytes } from "#shared/node/system.ts";
import type { RunView } from "#shared/protocol/api.ts";
import type { Task } from "#shared/task/task.ts";
import { placeOf } from "#shared/vector/layout.ts";
import { bitsPerWeight, update } from "#shared/vector/segments/update.ts";
import { shownLayoutOf } from "#shared/vector/task-layout.ts";
import { openAuditorKey } from "../../adapters/auditor-key.ts";
import { openLog } from "../../adapters/log.ts";
import { ensureWebBuild } from "../../adapters/web-build.ts";
import { MACHINE } from "../../core/access/principal.ts";
import { bundledTask, HELD_OUT_FRACTION, SITE_COLUMN } from "../../data/tasks.ts";
import { endOnFault, type RunningCoordinator, startCoordinator } from "../../main.ts";
import { granted, namedOrigins } from "../command.ts";
import { trustWords } from "../tls-options.ts";
import { DEMO_TOKEN_DAYS, type DemoAdmin, openDemoAdmin } from "./demo-admin.ts";
import { type EdgePlan, type Edges, startEdges } from "./edges.ts";
import { followRun, summarise } from "./follow.ts";
import { DEMO_HELP, type DemoOptions, FASHION_MNIST, parseDemoOptions } from "./options.ts";
import { type Cut, cutDataset, writePart } from "./parts.ts";
import { ensureTask, settleOpenRuns } from "./task-version.ts";

/** The coordinator's 30 s, after its edges have left. */
const STOP_MS = 35_000;
/** How long the demo waits for its edges to join. */
const JOIN_MS = 180_000;
/** Committed rounds that can be verified afterwards. */
const KEPT_ROUNDS = 1;
/** Covers every start of an edge during one demo. */
const TOKEN_LIFE_MS = 24 * 3_600_000;

let running: RunningCoordinator | null = null;
let edges: Edges | null = null;
let stopping: Promise<void> | null = null;

/**
 * Runs the whole demo from the command line's options. The process ends with its exit code.
 *
 * @param onStarted  Takes the function to call when the process is told to end.
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
  // The terminal is for people, so the coordinator logs to a file.
  const log = openLog({
    destination: pino.destination({ dest: join(options.dataDir, "coordinator.log"), sync: true }),
  });
  endOnFault(log);
  onStarted(() => {
    if (stopping === null) console.error("Stopping. An open run resumes at the next start.");
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

/** Stops the edges first, so that they leave their rounds properly while the coordinator still listens. */
function stop(): Promise<void> {
  stopping ??= (async () => {
    setTimeout(() => process.exit(1), STOP_MS).unref();
    await edges?.stop();
    await running?.stop();
  })();
  return stopping;
}

/** Returns the exit code once the run has ended. */
async function main(options: DemoOptions, log: ReturnType<typeof openLog>): Promise<number> {
  const begun: Begun = { atMs: performance.now(), atUnixMs: Date.now() };
  const { features } = bundledTask(options.task, options.clientCount, 1);
  const cut = await cutDataset(options.datasetPath, {
    ...options,
    features,
    heldOutFraction: HELD_OUT_FRACTION,
    siteColumn: SITE_COLUMN[options.task],
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
  running = await startForDemo(options, log);
  const { coordinator } = running;
  const admin = await openDemoAdmin(running);
  const actor = admin?.name ?? MACHINE;
  granted(await running.accessDesk.ensureProject(running.status.projectId, actor));
  const { heldOut } = cut.value;
  const task = await ensureTask(coordinator, { ...options, name: options.task, heldOut, actor });
  printAddresses(running, task, options);
  printSignIn(running, admin, options);
  const open = await settleOpenRuns(coordinator, task, actor, (line) => console.log(line));
  edges = await startEdges(await planEdges(options, cut.value, running, actor));
  if (isStopping()) return 0;
  await waitForEdges(running, edges, task.slug, options);
  if (isStopping()) return 0;
  const { task: name, rounds, seed } = options;
  const run = open ?? granted(await coordinator.runs.launch({ task: name, rounds, seed }, actor));
  return followToEnd(running, { run, isOpen: open !== null }, options, begun, log);
}

/** Start of the demo, on both clocks. */
interface Begun {
  readonly atMs: number;
  readonly atUnixMs: number;
}

/** Starts a coordinator that keeps its newest round for an auditor whose key it makes. */
async function startForDemo(
  options: DemoOptions,
  log: ReturnType<typeof openLog>,
): Promise<RunningCoordinator> {
  const auditorFile = join(options.dataDir, "auditor.key");
  const auditorKey = await openAuditorKey(auditorFile, options.dataDir, primitives, randomBytes);
  const started = await startCoordinator({
    keeping: { rounds: KEPT_ROUNDS, auditorKey },
    port: options.port,
    dataDir: options.dataDir,
    databaseUrl: process.env["DATABASE_URL"],
    tls: options.tls,
    publicUrl: process.env["CHORUS_PUBLIC_URL"],
    allowedOrigins: namedOrigins(),
    web: options.apiOnly ? false : "built",
    log,
    // The log goes to a file, so the terminal must say why the demo ends.
    onReplaced: (sentence) => {
      console.error(sentence);
      process.exit(1);
    },
  });
  console.log(
    `Auditor's key  ${auditorFile}: opens what is kept of the newest round; see npm run verify -- --help`,
  );
  return started;
}

function printAddresses(running: RunningCoordinator, task: Task, { clientCount, ring }: DemoOptions): void {
  const { url, status } = running;
  const words = trustWords(running);
  if (words !== null) console.log(words);
  console.log(`Dashboard  ${url}`);
  console.log(`Join page  ${url}/join/${task.slug}`);
  if (status.joinBaseUrl !== url) {
    const reach = status.secureContext ? "" : "  (other devices need HTTPS: --tls)";
    console.log(`From other devices  ${status.joinBaseUrl}/join/${task.slug}${reach}`);
  }
  const size = clientCount < 10 ? "Too few to hide anyone; for trying out only." : "For trying out only.";
  console.log(`Demo: ${clientCount} devices. ${size}`);
  const layout = shownLayoutOf(task);
  const bits = bitsPerWeight(placeOf(layout, update)).toFixed(1);
  console.log(
    `Ring: ${ring} bits per coordinate; a masked update is ${4 * layout.length} bytes, ${bits} bits per weight.`,
  );
}

/** How a person and a script get in. */
function printSignIn({ url }: RunningCoordinator, admin: DemoAdmin | null, { apiOnly }: DemoOptions): void {
  if (admin === null) {
    console.log(`Sign in    as usual, at ${url}/sign-in: this state has an admin who is not the demo's.`);
    return;
  }
  const { name, link, token } = admin;
  if (!apiOnly) {
    console.log(`Sign in    ${link}`);
    console.log(
      `           Signs one browser in as ${name}, once, within 30 minutes. Each start prints a new one.`,
    );
  }
  console.log(`For scripts  CHORUS_TOKEN=${token}`);
  console.log(
    `           Acts for ${name}, as Authorization: Bearer. It ends after ${DEMO_TOKEN_DAYS} days, or when the demo starts again.`,
  );
}

/**
 * Prints each round of the run as it ends.
 *
 * @param run  `isOpen` if an earlier start left the run open.
 * @returns The exit code.
 */
async function followToEnd(
  { coordinator, url }: RunningCoordinator,
  { run, isOpen }: { readonly run: RunView; readonly isOpen: boolean },
  options: DemoOptions,
  begun: Begun,
  log: ReturnType<typeof openLog>,
): Promise<number> {
  console.log(
    isOpen
      ? `Run ${run.number} goes on with ${run.roundsCommitted} of ${run.roundsPlanned} rounds committed: ${url}/runs/${run.runId}`
      : `Run ${run.number}, ${run.roundsPlanned} rounds: ${url}/runs/${run.runId}`,
  );
  let first = true;
  const print = (line: string) => {
    console.log(line);
    if (!first) return;
    first = false;
    log.info({ seconds: (performance.now() - begun.atMs) / 1_000 }, "first round of the demo");
  };
  const followed = await followRun(coordinator, run.runId, begun.atUnixMs, print, isStopping);
  if (followed === null) return 0;
  if (followed.run.state === "failed") {
    console.error(
      `The run has failed (${followed.run.code ?? "no code"}). See ${join(options.dataDir, "coordinator.log")}.`,
    );
    return 1;
  }
  const last = followed.rounds.findLast(({ phase }) => phase === "committed");
  if (last !== undefined && !options.apiOnly && !options.exit)
    console.log(`Check round ${last.round} in your browser: ${url}/audit/rounds/${last.roundId}`);
  console.log(
    options.exit
      ? JSON.stringify(summarise(followed.run, followed.rounds))
      : `The run has ended. Everything keeps running: launch another on ${url}, or stop with Ctrl-C.`,
  );
  return 0;
}

function isStopping(): boolean {
  return stopping !== null;
}

async function planEdges(
  options: DemoOptions,
  cut: Cut,
  { accessDesk, url, authority, status: { projectId } }: RunningCoordinator,
  actor: string,
): Promise<EdgePlan[]> {
  const base = join(options.dataDir, "demo", options.task);
  const uses = cut.shards.length;
  const { token: joinToken } = granted(
    await accessDesk.makeJoinToken({
      projectId,
      task: options.task,
      siteId: null,
      uses,
      lifeMs: TOKEN_LIFE_MS,
      actor,
    }),
  );
  return Promise.all(
    cut.shards.map(async (shard, index) => {
      const folder = join(base, `edge-${index + 1}`);
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      return {
        coordinatorUrl: url,
        task: options.task,
        dataPath: await writePart(join(folder, "data"), shard),
        joinToken,
        folder,
        certPath: trustedBy(options, authority),
      };
    }),
  );
}

function trustedBy({ tls }: DemoOptions, authority: RunningCoordinator["authority"]): string | null {
  if (authority !== null) return authority.path;
  return tls === null || tls === "own" ? null : resolve(tls.certPath);
}

/** @throws Error if too few joined to begin a round. */
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
