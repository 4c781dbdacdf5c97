import { spawn } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { bundledTask } from "#coordinator/data/tasks.ts";
import { heldOutPath } from "#test/kit/earlier-held-out.ts";
import { openTestDevice } from "../../../kit/devices/device.ts";
import { openApi, spawnCoordinator, until } from "../../../kit/worlds/coordinator-process.ts";

/* An edge process that trains on WebGPU through Dawn, on the software adapter from Debian's Chromium. */

const root = new URL("../../../..", import.meta.url).pathname;
const ADAPTER = "/usr/lib/chromium/vk_swiftshader_icd.json";
const LOADERS = ["/usr/lib/x86_64-linux-gnu/libvulkan.so.1", "/usr/lib/aarch64-linux-gnu/libvulkan.so.1"];
const possible = existsSync(ADAPTER) && LOADERS.some(existsSync);
const scratch = mkdtempSync(join(tmpdir(), "chorus-edge-gpu-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

test.skipIf(!possible)("an edge trains on WebGPU and is in the sum", async () => {
  const task = bundledTask("digits", 3, 1);
  const heldOut = `${heldOutPath(scratch, task.slug, task.version)}.csv`;
  mkdirSync(join(heldOut, ".."), { recursive: true });
  cpSync(join(root, "coordinator/data/digits.csv"), heldOut);
  const rows = readFileSync(heldOut, "utf8").split("\n").slice(0, 41);
  writeFileSync(join(scratch, "own.csv"), rows.join("\n"));
  const coordinator = await spawnCoordinator({ port: 4_670, dataDir: scratch });
  const api = openApi(coordinator.url);
  await api.createTask(task);
  const devices = [
    await openTestDevice(coordinator.url, task, 1),
    await openTestDevice(coordinator.url, task, 2),
  ];
  const args = ["--coordinator", coordinator.url, "--task", task.slug, "--data", join(scratch, "own.csv")];
  args.push("--backend", "webgpu", "--state", join(scratch, "edge"));
  const edge = spawn(process.execPath, [join(root, "client/commands/edge.ts"), ...args], {
    cwd: root,
    env: { ...process.env, VK_ICD_FILENAMES: ADAPTER },
    stdio: ["ignore", "pipe", "ignore"],
  });
  let said = "";
  edge.stdout.on("data", (chunk: Buffer) => {
    said += chunk.toString("utf8");
  });
  try {
    await until("an edge on WebGPU", 120_000, async () => said.includes("Training on webgpu"));
    const { runId } = await api.launch({ task: task.slug, rounds: 1, seed: 5 });
    for (const device of devices) device.enrolment.start();
    await until("the end of the run", 200_000, async () => (await api.run(runId)).state === "completed");
    const committed = (await api.rounds(runId)).filter(({ phase }) => phase === "committed");
    expect(committed).toHaveLength(1);
    expect(committed[0]?.survivors).toBe(3);
  } finally {
    edge.kill("SIGKILL");
    await Promise.all(devices.map((device) => device.close()));
    await coordinator.kill();
  }
});
