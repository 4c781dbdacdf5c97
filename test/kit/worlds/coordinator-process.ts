import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { openStore } from "#coordinator/adapters/database/open-store.ts";
import { AccessDesk } from "#coordinator/core/access/desk.ts";
import { err } from "#shared/kernel/result.ts";
import { after, primitives, randomBytes, wallClock } from "#shared/node/system.ts";
import type { RoundDetail, RoundView, RunView, TaskView } from "#shared/protocol/api.ts";
import { wireError } from "#shared/protocol/errors.ts";
import { adminToken } from "./admin.ts";
import { asAdmin, useToken } from "./as-admin.ts";

const root = new URL("../../..", import.meta.url).pathname;
const READY_MS = 120_000;

/** A real coordinator in its own process, which a test may kill and restart on the same state. */
export interface CoordinatorProcess {
  readonly url: string;
  readonly pid: number;
  /** SIGKILL: nothing is flushed or logged. */
  kill(): Promise<void>;
  /** SIGTERM: drains. Resolves with the exit code. */
  stop(): Promise<number | null>;
  /** Its last output. */
  said(): string;
}

export interface CoordinatorOptions {
  readonly port: number;
  readonly dataDir: string;
  readonly databaseUrl?: string;
  /** Serves pages; they must have been built. */
  readonly pages?: boolean;
  /** False: it has no admin, and prints the link that makes the first. */
  readonly claimed?: boolean;
  /** Bundled tasks that it offers. */
  readonly tasks?: readonly string[];
  /** Further options of the command. */
  readonly flags?: readonly string[];
  /** Flags for Node itself. */
  readonly nodeFlags?: readonly string[];
}

/** Resolves when /readyz answers 200. */
export async function spawnCoordinator(options: CoordinatorOptions): Promise<CoordinatorProcess> {
  const url = `http://localhost:${options.port}`;
  if (options.claimed !== false) useToken(url, await claim(options));
  const args = [...(options.nodeFlags ?? []), join(root, "coordinator/commands/coordinator.ts")];
  args.push("--port", String(options.port));
  args.push("--data", options.dataDir, "--host", "127.0.0.1");
  if (options.pages !== true) args.push("--api-only");
  for (const task of options.tasks ?? []) args.push("--task", task);
  args.push(...(options.flags ?? []));
  const env: NodeJS.ProcessEnv = { ...process.env, DATABASE_URL: options.databaseUrl ?? "" };
  const child = spawn(process.execPath, args, { cwd: root, env, stdio: ["ignore", "pipe", "pipe"] });
  const said = collectOutput(child);
  await untilReady(url, child, said);
  return {
    url,
    pid: child.pid as number,
    said,
    kill: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill("SIGKILL");
      await once(child, "exit");
    },
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
      child.kill("SIGTERM");
      const [code] = (await once(child, "exit")) as [number | null];
      return code;
    },
  };
}

/** The last output of the process, for the message of a failing test. */
function collectOutput(child: ChildProcess): () => string {
  let text = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on("data", (chunk: Buffer) => {
      text = (text + chunk.toString("utf8")).slice(-8_000);
    });
  }
  return () => text;
}

async function untilReady(url: string, child: ChildProcess, said: () => string): Promise<void> {
  const givenUpAt = performance.now() + READY_MS;
  while (performance.now() < givenUpAt) {
    if (child.exitCode !== null) throw new Error(`the coordinator ended with ${child.exitCode}:\n${said()}`);
    try {
      if ((await fetch(`${url}/readyz`)).status === 200) return;
    } catch {
      // Not listening yet.
    }
    await pause(50);
  }
  child.kill("SIGKILL");
  throw new Error(`the coordinator was not ready in time:\n${said()}`);
}

/** Claims the coordinator of this state before it starts. @returns An admin's token. */
async function claim({ dataDir, databaseUrl }: CoordinatorOptions): Promise<string> {
  await mkdir(dataDir, { recursive: true });
  const store = await openStore({ dataDir, ...(databaseUrl === undefined ? {} : { databaseUrl }) });
  const log = { info: () => {}, warn: () => {}, error: () => {} };
  const desk = new AccessDesk({ primitives, random: randomBytes, wall: wallClock, after, log, store });
  try {
    await desk.start(async () => err(wireError("UNAVAILABLE")));
    return await adminToken(desk);
  } finally {
    desk.stop();
    await store.close();
  }
}

/** The public API as a script uses it. */
export function openApi(url: string) {
  const request = async <T>(path: string, body?: unknown): Promise<T> => {
    const response = await fetch(`${url}/api/v1${path}`, {
      headers: { ...asAdmin(url), ...(body === undefined ? {} : { "content-type": "application/json" }) },
      ...(body === undefined ? {} : { method: "POST", body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${path}: ${response.status} ${text}`);
    return JSON.parse(text) as T;
  };
  const bytes = async (path: string) => {
    const response = await fetch(`${url}/api/v1${path}`, { headers: asAdmin(url) });
    if (!response.ok) throw new Error(`${path}: ${response.status}`);
    return new Uint8Array(await response.arrayBuffer());
  };
  return {
    /** Posts if there is a body. @throws Error with what was answered unless it is a success. */
    ask: request,
    createTask: (task: unknown) => request<TaskView>("/tasks", task),
    task: (slug: string) => request<TaskView>(`/tasks/${slug}`),
    launch: (launch: { task: string; rounds: number; seed?: number }) => request<RunView>("/runs", launch),
    act: (runId: string, act: "pause" | "resume" | "stop") => request<RunView>(`/runs/${runId}/${act}`, {}),
    run: (runId: string) => request<RunView>(`/runs/${runId}`),
    rounds: async (runId: string) => (await request<{ items: RoundView[] }>(`/runs/${runId}/rounds`)).items,
    round: (roundId: string) => request<RoundDetail>(`/rounds/${roundId}`),
    sum: (roundId: string) => bytes(`/rounds/${roundId}/sum`),
    model: (hash: string) => bytes(`/models/${hash}`),
  };
}

/** A free port. Another process may take it in the meantime, which then shows. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Repeats `check` until it returns something. @throws Error naming `what` after `withinMs`. */
export async function until<T>(
  what: string,
  withinMs: number,
  check: () => Promise<T | null | undefined | false>,
): Promise<T> {
  const givenUpAt = performance.now() + withinMs;
  let problem: unknown = null;
  while (performance.now() < givenUpAt) {
    try {
      const found = await check();
      if (found !== null && found !== undefined && found !== false) return found;
    } catch (error) {
      problem = error;
    }
    await pause(25);
  }
  throw new Error(
    `${what} did not happen within ${withinMs} ms${problem === null ? "" : `: ${String(problem)}`}`,
  );
}
