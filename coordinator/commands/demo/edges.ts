import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const EDGE = fileURLToPath(new URL("../../../client/commands/edge.ts", import.meta.url));
/** An edge that does not leave within this time is killed. */
const LEAVE_MS = 8_000;

export interface EdgePlan {
  readonly coordinatorUrl: string;
  readonly task: string;
  readonly dataPath: string;
  readonly joinToken: string;
  /** Holds the edge's keys, state and messages. */
  readonly folder: string;
  /** The coordinator's own certificate, if it serves HTTPS with one. */
  readonly certPath: string | null;
}

export interface Edges {
  /** Edges that ended by themselves, with exit codes and paths of their messages. */
  readonly ended: readonly { readonly code: number | null; readonly logPath: string }[];
  stop(): Promise<void>;
}

/** Starts one process per device, as a person would. They end with this process, however it ends. */
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
    const own = ["--state", join(plan.folder, "state")];
    return spawn(process.execPath, [EDGE, ...source, ...own], {
      // The channel closes when this process ends, even by SIGKILL, and the edge then ends itself.
      stdio: ["ignore", log, log, "ipc"],
      env: {
        ...process.env,
        CHORUS_TOKEN: plan.joinToken,
        ...(plan.certPath === null ? {} : { NODE_EXTRA_CA_CERTS: plan.certPath }),
      },
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
