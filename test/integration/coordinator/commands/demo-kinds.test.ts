import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { BUNDLED_TASKS, bundledTask } from "#coordinator/data/tasks.ts";
import { measuresOf } from "#shared/task/measures/index.ts";
import { targetOf } from "#shared/task/target.ts";

/* A federation of processes for each other kind of task: edges train, a real round sums, the evaluator judges. */

const DEMO = new URL("../../../../coordinator/commands/demo.ts", import.meta.url).pathname;
const KINDS = BUNDLED_TASKS.filter((name) => !["digits", "hmda", "fashion-mnist"].includes(name));
const folder = mkdtempSync(join(tmpdir(), "chorus-kinds-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function demo(...args: string[]): Promise<{ readonly code: number | null; readonly output: string }> {
  const child = spawn(process.execPath, [DEMO, "--api-only", "--exit", "--port", "0", ...args], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stderr, child.stdout]) {
    stream.on("data", (chunk: Buffer) => {
      output += chunk.toString();
    });
  }
  return new Promise((resolve) => child.on("close", (code) => resolve({ code, output })));
}

test.each(KINDS)(
  "[E44] %s is learnt by a federation, and judged in its own measures",
  { timeout: 240_000 },
  async (name) => {
    const { code, output } = await demo(
      ...["--task", name, "--clients", "4", "--rounds", "2", "--alpha", "100"],
      ...["--data", join(folder, name)],
    );
    expect(output).toContain("2 of 2 committed");
    expect(code).toBe(0);
    const summary = JSON.parse(output.trimEnd().split("\n").at(-1) ?? "") as Record<string, unknown>;
    expect(summary).toMatchObject({ task: name, rounds: 2, survivors: 4 });
    const target = targetOf(bundledTask(name, 4, 1).features);
    for (const { name: measure } of measuresOf(target)) expect(summary[measure]).toEqual(expect.any(Number));
    // A figure of a number has its unit wherever people read it.
    if (target.kind === "number") {
      expect(output).toMatch(new RegExp(`mae \\d+\\.\\d+ ± \\d+\\.\\d+ ${target.unit}`));
      expect(output).not.toContain("accuracy");
    }
  },
);
