import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { z } from "zod";
import { LOG_CHECKPOINT, LOG_FOLDER, LOG_TILES } from "#coordinator/adapters/log-files.ts";
import { readLogKeys } from "#coordinator/adapters/log-key.ts";
import { present } from "#shared/kernel/assert.ts";
import { primitives } from "#shared/node/system.ts";
import { type Checkpoint, parseCheckpoint } from "#shared/tlog/checkpoint.ts";
import { parseNote, SIGNATURE_TYPES, verifierKey } from "#shared/tlog/note.ts";
import { expectHeldByGo, hasGo } from "#test/kit/go/go-log.ts";

/* The demo as a person starts it, without its pages: real processes, real training, the whole protocol. */

const DEMO = new URL("../../../../coordinator/commands/demo.ts", import.meta.url).pathname;
let folder: string;
const children: ChildProcess[] = [];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "chorus-demo-"));
});
afterAll(async () => {
  for (const child of children) child.kill("SIGKILL");
  // The edges end by themselves, and write to the folder until then.
  await vi.waitUntil(() => edgesLeft() === 0, { timeout: 60_000, interval: 200 });
  rmSync(folder, { recursive: true, force: true });
});

interface Run {
  readonly child: ChildProcess;
  readonly output: () => string;
  readonly ended: Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }>;
}

function demo(...args: string[]): Run {
  const child = spawn(process.execPath, [DEMO, "--api-only", "--port", "0", ...args], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  children.push(child);
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk: Buffer) => {
    stdout += chunk.toString();
  });
  child.stderr.on("data", (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  return {
    child,
    output: () => stdout + stderr,
    ended: new Promise((resolve) => child.on("close", (code) => resolve({ code, stdout, stderr }))),
  };
}

/** Edge processes of this test, found by the folder in their arguments. */
function edgesLeft(): number {
  const processes = execFileSync("ps", ["-axww", "-o", "pid=,command="], { encoding: "utf8" });
  return processes.split("\n").filter((line) => line.includes("edge.ts") && line.includes(folder)).length;
}

const summarySchema = z.strictObject({
  task: z.string(),
  rounds: z.int(),
  accuracy: z.number().min(0).max(1),
  loss: z.number().min(0),
  cohort: z.int(),
  survivors: z.int(),
  dropouts: z.int().min(0),
  seconds: z.number().gt(0),
  secondsPerRound: z.number().gt(0).nullable(),
  bytesUpPerClient: z.int().gt(0),
});

function summaryOf(stdout: string) {
  return summarySchema.parse(JSON.parse(stdout.trimEnd().split("\n").at(-1) ?? ""));
}

describe("what it refuses", () => {
  test.each([
    [["--clients", "2"], "at least 3 clients"],
    [["--task", "nothing"], "Choose from digits, hmda, fashion-mnist"],
    [["--rounds", "0"], "--rounds"],
    [["--alpha", "-1"], "--alpha"],
    [["--tls-cert", "x"], "go together"],
    [["--nothing"], "--help"],
    [["--task", "fashion-mnist", "--dataset", "/nowhere"], "apt-get install dataset-fashion-mnist"],
    [["--dataset", "/nowhere.csv"], "There is nothing at"],
    [
      [
        "--task",
        "hmda",
        "--dataset",
        new URL("../../../../coordinator/data/digits.csv", import.meta.url).pathname,
      ],
      "Your file has nothing for pirat, hirat, ",
    ],
    [["--clients", "200"], "Use fewer --clients"],
  ])("%j", async (args, sentence) => {
    const { code, stderr } = await demo(...args, "--data", join(folder, "refused")).ended;
    expect(stderr).toContain(sentence);
    expect(stderr).not.toContain("    at ");
    expect(code).toBe(2);
  });

  test("--help prints everything and starts nothing", async () => {
    const { code, stdout } = await demo("--help").ended;
    expect(code).toBe(0);
    for (const flag of [
      "--task",
      "--rounds",
      "--clients",
      "--alpha",
      "--ring",
      "--seed",
      "--dataset",
      "--data",
      "--port",
      "--exit",
    ]) {
      expect(stdout).toContain(flag);
    }
  });

  test("a port that is taken", async () => {
    const server = createServer();
    const port = await new Promise<number>((resolve) => {
      server.listen(0, () => resolve((server.address() as { port: number }).port));
    });
    try {
      const { code, stderr } = await demo("--port", String(port), "--data", join(folder, "port")).ended;
      expect(code).toBe(1);
      expect(stderr).toContain(`Port ${port} is in use`);
      expect(edgesLeft()).toBe(0);
    } finally {
      server.close();
    }
  });
});

/** Between the demo's starts; null before the first checkpoint. */
let earlier: Checkpoint | null = null;

function publishedIn(dataDir: string): Checkpoint {
  const note = parseNote(readFileSync(join(dataDir, LOG_CHECKPOINT), "utf8"));
  const checkpoint = note.ok ? parseCheckpoint(note.value.text) : note;
  if (!checkpoint.ok) throw new Error(checkpoint.error.sentence);
  return checkpoint.value;
}

test("a run goes on after the demo was killed and after Ctrl-C, and another cohort is another version", async () => {
  const data = ["--data", join(folder, "state"), "--clients", "3"];
  // More than can be done while the second demo finds the folder in use.
  const rounds = ["--rounds", "40"];
  const first = demo(...data, ...rounds);
  await expect.poll(first.output, { timeout: 120_000 }).toMatch(/version 1 {2}1 of 40 committed/);
  const second = await demo(...data).ended;
  expect(second.code).toBe(1);
  expect(second.stderr).toContain("in use by");
  first.child.kill("SIGKILL");
  await first.ended;
  // Nobody told the edges: they notice.
  await expect.poll(edgesLeft).toBe(0);

  const third = demo(...data, ...rounds);
  await expect
    .poll(third.output, { timeout: 120_000 })
    .toMatch(/Run 1 goes on with \d+ of 40 rounds committed/);
  third.child.kill("SIGINT");
  const interrupted = await third.ended;
  expect(interrupted.code).toBe(0);
  expect(edgesLeft()).toBe(0);
  earlier = publishedIn(join(folder, "state"));

  const fourth = await demo(...data, ...rounds, "--exit").ended;
  expect(fourth.stderr).toBe("");
  expect(fourth.code).toBe(0);
  expect(fourth.stdout).toContain("Run 1 goes on");
  expect(summaryOf(fourth.stdout)).toMatchObject({ task: "digits", rounds: 40, cohort: 3, survivors: 3 });
  expect(edgesLeft()).toBe(0);

  const other = await demo("--data", join(folder, "state"), "--clients", "4", "--rounds", "1", "--exit")
    .ended;
  expect(other.code).toBe(0);
  expect(other.stdout).toContain("Run 2,");
  expect(summaryOf(other.stdout)).toMatchObject({ rounds: 1, cohort: 4 });
});

test.skipIf(!hasGo)(
  "[A32] Go's own libraries verify the log of that demo and its growth between the starts, and refuse a changed entry",
  async () => {
    const dataDir = join(folder, "state");
    const [first] = present(await readLogKeys(dataDir), "the log has a key");
    const { origin, size } = publishedIn(dataDir);
    const { publicKey } = present(first, "the log has a key");
    const key = await verifierKey(primitives, origin, SIGNATURE_TYPES.ed25519, publicKey);
    const begun = present(earlier, "the demo before has run");
    expect(begun.size).toBeLessThan(size);
    const bundle = readFileSync(join(dataDir, LOG_TILES, "entries/000"), "utf8");
    for (const kind of ["round.opened", "round.unmasked", "model.published"])
      expect(bundle).toContain(`"kind":"${kind}"`);
    const held = { folder: join(dataDir, LOG_FOLDER), key, earlier: begun, scratch: folder };
    expect(await expectHeldByGo(held)).toBe(size);
  },
);
