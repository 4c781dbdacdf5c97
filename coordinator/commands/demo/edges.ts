import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const EDGE = fileURLToPath(new URL("../../../client/commands/edge.ts", import.meta.url));
/** An edge that was asked to leave and does not is killed. */
const LEAVE_MS = 8_000;

export interface EdgePlan {
  readonly coordinatorUrl: string;
  readonly task: string;
  readonly dataPath: string;
  readonly joinToken: string;
  /** Keys, memory and messages of this edge. */
  readonly folder: string;
  /** Of the coordinator, where it serves HTTPS with one of its own. */
  readonly certPath: string | null;
}

export interface Edges {
  /** Those that ended on their own, with their exit codes and where their messages are. */
  readonly ended: readonly { readonly code: number | null; readonly logPath: string }[];
  stop(): Promise<void>;
}

/** One process a device, as a person would start it. They end with this process, however it ends. */
export async function startEdges(plans: readonly EdgePlan[]): Promise<Edges> {
  const ended: { code: number | null; logPath: string }[] = [];
  let stopping = false;
  const children: ChildProcess[] = [];
  for (const plan of plans) {
    await mkdir(plan.folder, { recursive: true, mode: 0o700 });
    const logPath = join(plan.folder, "edge.log");
    const child = spawnEdge(plan, logPath);
    child.on("exit", (code) => {
      if (!stopping) ended.push({ code, logPath });
    });
    children.push(child);
  }
  return {
    ended,
    stop: async () => {
      stopping = true;
      await Promise.all(children.map(endChild));
    },
  };
}

function spawnEdge(plan: EdgePlan, logPath: string): ChildProcess {
  const log = openSync(logPath, "a");
  try {
    const source = ["--coordinator", plan.coordinatorUrl, "--task", plan.task, "--data", plan.dataPath];
    const own = ["--join-token", plan.joinToken, "--state", join(plan.folder, "state")];
    return spawn(process.execPath, [EDGE, ...source, ...own], {
      // The channel closes when this process is gone, even after a SIGKILL, and the edge ends itself then.
      stdio: ["ignore", log, log, "ipc"],
      env: { ...process.env, ...(plan.certPath === null ? {} : { NODE_EXTRA_CA_CERTS: plan.certPath }) },
    });
  } finally {
    closeSync(log);
  }
}

function endChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    const timer = setTimeout(() => child.kill("SIGKILL"), LEAVE_MS);
    child.on("exit", () => {
      clearTimeout(timer);
      resolve();
    });
    child.kill("SIGTERM");
  });
}
