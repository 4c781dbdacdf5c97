import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { cutDataset, writePart } from "#coordinator/commands/demo/parts.ts";
import { ensureTask } from "#coordinator/commands/demo/task-version.ts";
import { bundledTask, DEFAULT_DATASET, HELD_OUT_FRACTION } from "#coordinator/data/tasks.ts";
import { type RunningCoordinator, type Settings, startCoordinator } from "#coordinator/main.ts";
import { present } from "#shared/kernel/assert.ts";
import type { RunView } from "#shared/protocol/api.ts";
import { adminToken } from "./admin.ts";
import { until } from "./coordinator-process.ts";

/* A real coordinator in this process, and edges as their owners start them, with a part of the hmda data each. */

export const EDGE_COMMAND = fileURLToPath(new URL("../../../client/commands/edge.ts", import.meta.url));
const TASK = "hmda";
const RUN_MS = 120_000;

export interface EdgeProcess {
  /** What it has printed so far. */
  output(): string;
  readonly ended: Promise<number | null>;
}

export interface EdgeStart {
  /** Command in place of the repository's edge, with its first arguments. */
  readonly command?: readonly string[];
  readonly coordinatorUrl?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

export interface EdgeFederation {
  readonly running: RunningCoordinator;
  /** Starts the next of the edges. It ends with the federation at the latest. */
  start(options?: EdgeStart): EdgeProcess;
  /** Waits until all edges have joined, then runs one round. */
  round(): Promise<RunView>;
  close(): Promise<void>;
}

export async function openEdgeFederation(edgeCount: number, tls: Settings["tls"]): Promise<EdgeFederation> {
  const folder = mkdtempSync(join(tmpdir(), "chorus-edges-"));
  const dataDir = join(folder, "coordinator");
  const log = { info: () => {}, warn: () => {}, error: () => {} };
  const running = await startCoordinator({ port: 0, dataDir, tls, web: false, log });
  await adminToken(running.accessDesk);
  const { features } = bundledTask(TASK, edgeCount, 1);
  const plan = { features, clientCount: edgeCount, alpha: 100, seed: 1, heldOutFraction: HELD_OUT_FRACTION };
  const cut = await cutDataset(DEFAULT_DATASET[TASK], plan);
  if (!cut.ok) throw new Error(cut.error);
  await ensureTask(running.coordinator, {
    name: TASK,
    clientCount: edgeCount,
    heldOut: cut.value.heldOut,
    actor: "ada",
  });
  const paths = await Promise.all(
    cut.value.shards.map((shard, index) => {
      mkdirSync(join(folder, `edge-${index}`));
      return writePart(join(folder, `edge-${index}`, "data"), shard);
    }),
  );
  const joinToken = await running.access.mintJoinToken(edgeCount, RUN_MS);
  const stops: (() => Promise<unknown>)[] = [];
  const outputs: (() => string)[] = [];
  return {
    running,
    start: ({
      command = [process.execPath, EDGE_COMMAND],
      coordinatorUrl = running.url,
      env = {},
      cwd = folder,
    } = {}) => {
      const index = stops.length;
      const state = join(folder, `edge-${index}`, "state");
      const own = [
        "--data",
        present(paths[index], "data of this edge"),
        "--state",
        state,
        "--token",
        joinToken,
        "--backend",
        "cpu",
      ];
      const args = [...command.slice(1), "--coordinator", coordinatorUrl, "--task", TASK, ...own];
      const child = spawn(command[0] ?? "", args, {
        cwd,
        env: { ...process.env, ...env },
        stdio: ["ignore", "pipe", "pipe"],
      });
      let output = "";
      for (const stream of [child.stdout, child.stderr]) {
        stream.on("data", (chunk: Buffer) => {
          output += chunk.toString();
        });
      }
      const ended = new Promise<number | null>((resolve) => child.once("close", (code) => resolve(code)));
      stops.push(() => {
        child.kill("SIGTERM");
        return ended;
      });
      outputs.push(() => output);
      return { output: () => output, ended };
    },
    round: async () => {
      const { tasks, runs } = running.coordinator;
      await until(
        "all edges join",
        RUN_MS,
        async () => (await tasks.taskView(TASK))?.deviceCount === stops.length,
      ).catch((error: unknown) => {
        throw new Error(`${String(error)}:\n${outputs.map((output) => output()).join("--\n")}`);
      });
      const launched = await runs.launch({ task: TASK, rounds: 1, seed: 1 }, "test");
      if (!launched.ok) throw new Error(launched.error.message);
      return until("the run ends", RUN_MS, async () => {
        const run = await runs.runView(launched.value.runId);
        return run?.state === "completed" || run?.state === "failed" ? run : null;
      });
    },
    close: async () => {
      await Promise.all(stops.map((stop) => stop()));
      await running.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
