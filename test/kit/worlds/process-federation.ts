import { type ChildProcess, fork } from "node:child_process";
import { EventEmitter, once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { bundledTask } from "#coordinator/data/tasks.ts";
import { type Task, taskSchema } from "#shared/task/task.ts";
import { heldOutPath } from "#test/kit/earlier-held-out.ts";
import type { CoordinatorReady } from "../children/coordinator.ts";
import type { FromDevices, ToDevices } from "../children/devices.ts";
import { idxHeader } from "../files/idx.ts";
import { useToken } from "./as-admin.ts";
import { openApi } from "./coordinator-process.ts";

/* A coordinator and devices in their own processes, for benches and tests: everything is real except the training. */

/** As many as the digits task holds out. */
const HELD_OUT_ROWS = 360;
const SIDE = 28;
/** The flags from package.json; without them V8 lets the young generation grow to 128 MB, whatever the load. */
const COORDINATOR_FLAGS = ["--max-semi-space-size=8"];
const PATIENT_MS = 600_000;

/** A process with one device or several. */
export interface DeviceProcess {
  readonly deviceCount: number;
  send(message: ToDevices): void;
  on<Type extends FromDevices["type"]>(type: Type, listener: (message: MessageOf<Type>) => void): void;
  /** The next message of this type. */
  next<Type extends FromDevices["type"]>(type: Type): Promise<MessageOf<Type>>;
}

type MessageOf<Type extends FromDevices["type"]> = Extract<FromDevices, { readonly type: Type }>;

export interface ProcessFederation {
  readonly url: string;
  readonly joinToken: string;
  /** An admin's API token. */
  readonly token: string;
  /** An admin's session, as in a header. */
  readonly cookie: string;
  readonly api: ReturnType<typeof openApi>;
  readonly coordinatorPid: number;
  readonly devicePids: readonly number[];
  readonly devices: readonly DeviceProcess[];
  close(): Promise<void>;
}

export interface ProcessOptions {
  /** Additional flags for every process. */
  readonly flags?: readonly string[];
  /** Ends processes in a way that lets them still write something. */
  readonly gently?: boolean;
  /** People with roles and tokens, besides the admin. */
  readonly crowdSize?: number;
  /** False: the coordinator's configs name no public log, so devices demand no proofs of it. */
  readonly demandsProofs?: boolean;
}

/** A task with pictures of 28 by 28 in ten classes; its model has 795 weights per hidden unit, plus 10. */
export function pictureTask(deviceCount: number, hiddenUnits: number): Task {
  const task = bundledTask("fashion-mnist", deviceCount, 1);
  const phases = Object.keys(task.aggregation.deadlines).map((phase) => [phase, PATIENT_MS]);
  return taskSchema.parse({
    ...task,
    model: {
      ...task.model,
      layers: [
        { className: "Flatten", name: "flatten" },
        { className: "Dense", name: "hidden", units: hiddenUnits, activation: "relu" },
        { className: "Dense", name: "classes", units: 10, activation: "softmax" },
      ],
    },
    aggregation: { ...task.aggregation, deadlines: Object.fromEntries(phases) },
  });
}

/** @param deviceCounts  Number of devices in each device process. */
export async function openProcessFederation(
  task: Task,
  deviceCounts: readonly number[],
  { flags = [], gently = false, crowdSize = 0, demandsProofs = true }: ProcessOptions = {},
): Promise<ProcessFederation> {
  const dataDir = mkdtempSync(join(tmpdir(), "chorus-bench-"));
  const children: ChildProcess[] = [];
  const start = (execArgv: readonly string[], script: string, ...args: readonly (string | number)[]) => {
    const path = fileURLToPath(new URL(`../children/${script}`, import.meta.url));
    const stdio = ["ignore", "ignore", "inherit", "ipc"] as const;
    const child = fork(path, args.map(String), { stdio: [...stdio], execArgv: [...execArgv, ...flags] });
    children.push(child);
    return child;
  };
  const close = async () => {
    for (const child of children.reverse()) await end(child, gently);
    rmSync(dataDir, { recursive: true, force: true });
  };
  try {
    writeHeldOut(heldOutPath(dataDir, task.slug, task.version));
    const coordinator = start(COORDINATOR_FLAGS, "coordinator.ts", dataDir, crowdSize, `${demandsProofs}`);
    const { url, joinToken, token, cookie } = await firstMessage<CoordinatorReady>(coordinator);
    useToken(url, token);
    const api = openApi(url);
    await api.createTask(task);
    let seed = 1;
    const processes = deviceCounts.map((deviceCount) => {
      const child = start([], "devices.ts", url, task.slug, joinToken, seed, deviceCount);
      seed += deviceCount;
      return child;
    });
    await Promise.all(processes.map((child) => firstMessage(child)));
    const devicePids = processes.map((child) => child.pid as number);
    const devices = processes.map((child, index) => deviceProcess(child, deviceCounts[index] ?? 0));
    const coordinatorPid = coordinator.pid as number;
    return { url, joinToken, token, cookie, api, coordinatorPid, devicePids, devices, close };
  } catch (error) {
    await close();
    throw error;
  }
}

function deviceProcess(child: ChildProcess, deviceCount: number): DeviceProcess {
  const told = new EventEmitter();
  child.on("message", (message: FromDevices) => void told.emit(message.type, message));
  return {
    deviceCount,
    send: (message) => void child.send(message),
    on: (type, listener) => void told.on(type, listener),
    next: async (type) => (await once(told, type))[0],
  };
}

async function firstMessage<T>(child: ChildProcess): Promise<T> {
  const ended = once(child, "exit").then(([code]) => {
    throw new Error(`a process of the bench ended with code ${String(code)} before it was ready`);
  });
  const [message] = (await Promise.race([once(child, "message"), ended])) as [T];
  return message;
}

async function end(child: ChildProcess, gently: boolean): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  if (gently) child.disconnect();
  else child.kill("SIGTERM");
  await once(child, "exit");
}

/** Arbitrary pictures and labels: the measurement does not depend on them. */
function writeHeldOut(folder: string): void {
  mkdirSync(folder, { recursive: true });
  const pixels = Buffer.from(Array.from({ length: HELD_OUT_ROWS * SIDE * SIDE }, (_, at) => (at * 31) % 256));
  const labels = Buffer.from(Array.from({ length: HELD_OUT_ROWS }, (_, at) => at % 10));
  writeFileSync(
    join(folder, "train-images-idx3-ubyte"),
    Buffer.concat([idxHeader(HELD_OUT_ROWS, SIDE, SIDE), pixels]),
  );
  writeFileSync(join(folder, "train-labels-idx1-ubyte"), Buffer.concat([idxHeader(HELD_OUT_ROWS), labels]));
}
