import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { cutDataset, writePart } from "#coordinator/commands/demo/parts.ts";
import { ALL_READABLE } from "#coordinator/core/ports/store.ts";
import { DEFAULT_DATASET } from "#coordinator/data/tasks.ts";
import { type RunningCoordinator, startCoordinator } from "#coordinator/main.ts";
import { modelFromBytes } from "#shared/codec/model-bytes.ts";
import { EXPORT_FORMATS } from "#shared/export/formats.ts";
import { present } from "#shared/kernel/assert.ts";
import { modelTensors } from "#shared/task/model.ts";
import { type Task, taskSchema } from "#shared/task/task.ts";
import { adminToken } from "#test/kit/worlds/admin.ts";
import { EDGE_COMMAND } from "#test/kit/worlds/edge-federation.ts";

/* The examples that people copy, as they are, against a real coordinator with edges. */

const EXAMPLES = fileURLToPath(new URL("../../../examples/api/", import.meta.url));
const EXPORT_COMMAND = fileURLToPath(new URL("../../../coordinator/commands/export.ts", import.meta.url));
const EDGES = 3;
/** An example that takes longer is ended, and the test prints what everyone said. */
const ROUND_MS = 120_000;
const LANGUAGES = [
  ["TypeScript", process.execPath, "train.ts"],
  ["Python", "python3", "train.py"],
  ["curl", "sh", "train.sh"],
] as const;

const task: Task = taskSchema.parse(JSON.parse(readFileSync(join(EXAMPLES, "task.json"), "utf8")));
const folder = mkdtempSync(join(tmpdir(), "chorus-examples-"));
let running: RunningCoordinator;
let token: string;
let parts: readonly string[];

beforeAll(async () => {
  const dataDir = join(folder, "coordinator");
  const log = { info: () => {}, warn: () => {}, error: () => {} };
  running = await startCoordinator({ port: 0, dataDir, tls: null, web: false, log });
  token = await adminToken(running.accessDesk);
  const plan = { features: task.features, clientCount: EDGES, alpha: 100, seed: 1, heldOutFraction: 0.2 };
  const cut = await cutDataset(DEFAULT_DATASET.hmda, plan);
  if (!cut.ok) throw new Error(cut.error);
  parts = await Promise.all(
    cut.value.shards.map((shard, index) => writePart(join(folder, `part-${index}`), shard)),
  );
});
afterAll(async () => {
  await running.stop();
  rmSync(folder, { recursive: true, force: true });
});

function slugOf(language: string): string {
  return `${task.slug}-${language.toLowerCase()}`;
}

interface Started {
  readonly process: ChildProcess;
  readonly output: () => string;
  readonly ended: Promise<number | null>;
}

/** @param shown  Its CHORUS_TOKEN: an example shows an API token, and an edge would show a join token. */
function start(
  command: string,
  args: readonly string[],
  cwd: string,
  shown: string | undefined = token,
): Started {
  const child = spawn(command, args, {
    cwd,
    env: { ...process.env, CHORUS_URL: running.url, CHORUS_TOKEN: shown },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk: Buffer) => {
      output += chunk.toString();
    });
  }
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  return { process: child, output: () => output, ended };
}

test.each(LANGUAGES)(
  "[W26] the example in %s makes a task, launches, watches, and fetches the model",
  async (language, command, file) => {
    const cwd = join(folder, language);
    mkdirSync(cwd);
    const slug = slugOf(language);
    writeFileSync(join(cwd, "task.json"), JSON.stringify({ ...task, slug }));
    const example = start(command, [join(EXAMPLES, file), "task.json"], cwd);
    await expect.poll(() => example.output(), { timeout: 30_000 }).toContain("Launched run");
    const joinToken = await running.access.mintJoinToken(EDGES, 120_000);
    const edges = parts.map((data, index) =>
      start(
        process.execPath,
        [
          ...[EDGE_COMMAND, "--coordinator", running.url, "--task", slug, "--data", data],
          ...["--state", join(cwd, `edge-${index}`), "--backend", "cpu"],
        ],
        cwd,
        joinToken,
      ),
    );
    try {
      const late = setTimeout(() => example.process.kill("SIGTERM"), ROUND_MS);
      const code = await example.ended;
      clearTimeout(late);
      const outputs = [example, ...edges].map(({ output }) => output()).join("\n--\n");
      expect(code, outputs).toBe(0);
      const bytes = new Uint8Array(readFileSync(join(cwd, `${slug}.safetensors`)));
      const model = modelFromBytes(modelTensors(task.model), bytes);
      expect(model.ok).toBe(true);
      if (model.ok) expect(model.value.some((weight) => weight !== 0)).toBe(true);
    } finally {
      for (const { process: edge } of edges) edge.kill("SIGTERM");
      await Promise.all(edges.map(({ ended }) => ended));
    }
  },
  180_000,
);

test("[M7] the command writes a run's newest model, and never over a file that it was not told", async () => {
  const cwd = join(folder, "exports");
  mkdirSync(cwd);
  const exported = async (args: readonly string[], shown: string | undefined = token) => {
    const command = start(process.execPath, [EXPORT_COMMAND, ...args], cwd, shown);
    return { code: await command.ended, output: command.output() };
  };
  const { items } = await running.coordinator.runs.listRuns(ALL_READABLE, { limit: 1 });
  const { runId, task: slug } = present(items[0], "the run of an example");
  const name = `${slug}-run1-round1.onnx`;
  expect(await exported([runId])).toMatchObject({
    code: 0,
    output: expect.stringContaining(`Wrote ${name}, `),
  });
  const bytes = readFileSync(join(cwd, name));
  // As onnx.proto has it: the first field is the version of the format, 8.
  expect([...bytes.subarray(0, 2)]).toEqual([8, 8]);
  expect(await exported([runId])).toMatchObject({
    code: 1,
    output: expect.stringContaining("is there already"),
  });
  expect(await exported([runId, "--out", name, "--format", "javascript"])).toMatchObject({ code: 0 });
  expect(readFileSync(join(cwd, name), "utf8")).toContain("export function predict");
  expect(await exported(["0".repeat(32)])).toMatchObject({ code: 1 });
  expect(await exported([runId, "--format", "pickle"])).toMatchObject({
    code: 2,
    output: expect.stringContaining(`Choose from ${EXPORT_FORMATS.join(", ")}`),
  });
  expect(await exported(["../etc"])).toMatchObject({ code: 2 });
}, 60_000);

test.each(LANGUAGES)(
  "[W26] the example in %s ends with the coordinator's own words if it is refused",
  async (language, command, file) => {
    const cwd = join(folder, `${language} again`);
    mkdirSync(cwd);
    writeFileSync(
      join(cwd, "task.json"),
      JSON.stringify({ ...task, slug: slugOf(language), learns: "another thing" }),
    );
    const example = start(command, [join(EXAMPLES, file), "task.json"], cwd);
    expect(await example.ended).not.toBe(0);
    expect(example.output()).toContain("CONFLICT");
  },
  30_000,
);

test.each(LANGUAGES)(
  "[W26] the example in %s ends with the coordinator's own words if its launch is refused",
  async (language, command, file) => {
    const cwd = join(folder, `${language} unlaunched`);
    mkdirSync(cwd);
    const slug = `unlaunched-${language.toLowerCase()}`;
    writeFileSync(join(cwd, "task.json"), JSON.stringify({ ...task, slug }));
    const makesTasks = await adminToken(running.accessDesk, ["read", "tasks"]);
    const example = start(command, [join(EXAMPLES, file), "task.json"], cwd, makesTasks);
    const late = setTimeout(() => example.process.kill("SIGTERM"), 20_000);
    const code = await example.ended;
    clearTimeout(late);
    // One that was ended by the timer has no code.
    expect(code, example.output()).toBe(1);
    expect(example.output()).toContain(`Made ${slug}.`);
    expect(example.output()).not.toContain("Launched");
    expect(example.output()).toContain("FORBIDDEN");
  },
  30_000,
);
