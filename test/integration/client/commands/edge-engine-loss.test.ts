import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { bundledTask } from "#coordinator/data/tasks.ts";
import { heldOutPath } from "#test/kit/earlier-held-out.ts";
import { openTestDevice, type TestDevice } from "../../../kit/devices/device.ts";
import {
  type CoordinatorProcess,
  freePort,
  openApi,
  spawnCoordinator,
  until,
} from "../../../kit/worlds/coordinator-process.ts";

/* An edge process whose engine dies: in a thread that ends or hangs, or on a GPU that is lost. Rules T1 to T3. */

const root = new URL("../../../..", import.meta.url).pathname;
const ADAPTER = "/usr/lib/chromium/vk_swiftshader_icd.json";
const LOADERS = ["/usr/lib/x86_64-linux-gnu/libvulkan.so.1", "/usr/lib/aarch64-linux-gnu/libvulkan.so.1"];
const hasGpu = existsSync(ADAPTER) && LOADERS.some(existsSync);
const OTHERS = 3;
const TRAINING_MS = 120_000;

const scratch = mkdtempSync(join(tmpdir(), "chorus-edge-loss-"));
const plain = bundledTask("digits", OTHERS + 1, 1);
const deadlines = { ...plain.aggregation.deadlines, recruitingMs: 240_000, trainingMs: TRAINING_MS };
const task = {
  ...plain,
  training: { ...plain.training, epochs: 40 },
  aggregation: { ...plain.aggregation, deadlines, cohortSizeMin: OTHERS },
};
let coordinator: CoordinatorProcess;
const devices: TestDevice[] = [];
const edges: ChildProcess[] = [];

beforeAll(async () => {
  const heldOut = `${heldOutPath(scratch, task.slug, task.version)}.csv`;
  mkdirSync(join(heldOut, ".."), { recursive: true });
  const digits = join(root, "coordinator/data/digits.csv");
  cpSync(digits, heldOut);
  const lines = readFileSync(digits, "utf8").trim().split("\n");
  writeFileSync(join(scratch, "own.csv"), lines.slice(0, 301).join("\n"));
  coordinator = await spawnCoordinator({ port: await freePort(), dataDir: scratch });
  await openApi(coordinator.url).createTask(task);
  for (let seed = 1; seed <= OTHERS; seed++) {
    const device = await openTestDevice(coordinator.url, task, seed);
    device.enrolment.start();
    devices.push(device);
  }
});
afterEach(() => {
  for (const edge of edges.splice(0)) edge.kill("SIGKILL");
});
afterAll(async () => {
  await Promise.all(devices.map((device) => device.close()));
  await coordinator?.kill();
  rmSync(scratch, { recursive: true, force: true });
});

/**
 * Starts an edge with a fault in its engine's thread.
 *
 * @param fault  Code that runs in each thread of the process before its own; `training` resolves once the thread has
 * received a job.
 */
function startEdge(name: string, fault: string, ...args: readonly string[]) {
  const preload = join(scratch, `${name}.mjs`);
  writeFileSync(
    preload,
    `import { isMainThread, parentPort } from "node:worker_threads";
     if (!isMainThread) {
       const training = new Promise((resolve) => parentPort.on("message", ({ request }) => request?.kind === "train" && resolve()));
       ${fault}
     }`,
  );
  const command = [join(root, "client/commands/edge.ts"), "--coordinator", coordinator.url];
  command.push("--task", task.slug, "--data", join(scratch, "own.csv"), "--state", join(scratch, name));
  const child = spawn(process.execPath, [...command, ...args], {
    cwd: root,
    env: {
      ...process.env,
      VK_ICD_FILENAMES: ADAPTER,
      NODE_OPTIONS: `--import ${pathToFileURL(preload).href}`,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  edges.push(child);
  let text = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on("data", (chunk: Buffer) => {
      text += chunk.toString("utf8");
    });
  }
  child.on("exit", (code, signal) => {
    text += `(ended with ${code ?? signal})\n`;
  });
  return { child, said: () => text };
}

/** Runs two rounds; the edge is in the second, and no round waited for a deadline. */
async function expectToGoOn(said: () => string, stopped: RegExp, next: string): Promise<void> {
  const api = openApi(coordinator.url);
  await until("an edge that is ready", 120_000, async () => said().includes("Waiting for a round."));
  const { runId } = await api.launch({ task: task.slug, rounds: 3, seed: 5 });
  const over = async () => (await api.run(runId)).state === "completed";
  await until("the end of the run", 100_000, over).catch((fault) => {
    throw new Error(`${String(fault)} The edge said:
${said()}`);
  });
  expect(said()).toMatch(stopped);
  expect(said()).toMatch(new RegExp(`Training on ${next} from now on\\.`));
  const committed = (await api.rounds(runId))
    .filter(({ phase }) => phase === "committed")
    .toSorted((left, right) => left.round - right.round);
  expect(committed[0]?.survivors).toBe(OTHERS);
  expect(committed.at(-1)?.survivors).toBe(OTHERS + 1);
  for (const { openedAt, endedAt } of committed)
    expect(Date.parse(endedAt ?? "") - Date.parse(openedAt)).toBeLessThan(TRAINING_MS);
}

const ONCE = (name: string) => join(scratch, `${name}.once`);
/** In a thread: true for the first thread that asks. */
const first = (name: string) =>
  `const { writeFileSync } = await import("node:fs");
   const first = () => { try { writeFileSync(${JSON.stringify(ONCE(name))}, "", { flag: "wx" }); return true; } catch { return false; } };`;

describe("an edge", () => {
  test("[T1] [T2] [T3] whose engine's thread ends in a training leaves the round and goes on with the next engine", async () => {
    const fault = `${first("ends")} training.then(() => first() && process.exit(9));`;
    const { said } = startEdge("ends", fault, "--backend", "wasm");
    await expectToGoOn(said, /The engine wasm stopped: its worker ended\. Trying the others\./, "cpu");
  });

  test("[T1] whose engine is refused memory", async () => {
    // In V8's own words. A full heap may also crash the whole process, which no program in it can handle.
    const fault = `${first("memory")} training.then(() => {
      const refuse = () => { throw new RangeError("Array buffer allocation failed"); };
      if (first()) Object.defineProperty(globalThis, "Float32Array", { get: refuse });
    });`;
    const { said } = startEdge("memory", fault, "--backend", "wasm");
    await expectToGoOn(said, /The engine wasm stopped: it ran out of memory\./, "cpu");
  });

  test("[T1] whose engine's thread hangs is ended well before the others' deadline", async () => {
    const fault = `${first("hangs")} training.then(() => { if (first()) for (;;); });`;
    const { said } = startEdge("hangs", fault, "--backend", "wasm");
    await expectToGoOn(said, /The engine wasm stopped: it stopped responding\./, "cpu");
  });

  test.skipIf(!hasGpu)("[T1] [T3] whose WebGPU device is lost in a training", async () => {
    // tfjs keeps its engine on the scope of its thread.
    const fault = `${first("gpu")} training.then(() => first() && _tfengine.backendInstance.device.destroy());`;
    const { said } = startEdge("gpu", fault, "--backend", "webgpu");
    await expectToGoOn(said, /The engine webgpu stopped: its graphics device went away\./, "(wasm|cpu)");
  });

  test("[T2] without a working engine exits with 4 and a sentence", async () => {
    // Every engine dies in its first job.
    const { child, said } = startEdge("none", "training.then(() => process.exit(9));", "--backend", "wasm");
    const api = openApi(coordinator.url);
    await until("an edge that is ready", 120_000, async () => said().includes("Waiting for a round."));
    const { runId } = await api.launch({ task: task.slug, rounds: 4, seed: 6 });
    const [code] = (await once(child, "exit")) as [number | null];
    expect(code).toBe(4);
    expect(said()).toContain("No engine of this device can train this task");
    expect(said()).toContain("(NO_ENGINE)");
    expect(said()).not.toMatch(/\n\s+at /);
    await api.act(runId, "stop");
  });
});
