import { execFile } from "node:child_process";
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bundledTask } from "#coordinator/data/tasks.ts";
import { makeReadOnly, mountTmpfs, NO_MOUNT } from "../../../kit/worlds/mounted.ts";

/* The edge as a person starts it, against an API that serves one task. */

const EDGE = fileURLToPath(new URL("../../../../client/commands/edge.ts", import.meta.url));
const ROWS = fileURLToPath(new URL("../../../../coordinator/data/hmda.csv", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "chorus-edge-"));
let server: Server;
let url = "";

beforeAll(async () => {
  const status = {
    product: "chorus",
    version: "0.1.0",
    codeVersion: "test",
    projectId: "default",
    database: "embedded",
    startedAt: new Date(0).toISOString(),
    joinBaseUrl: "http://localhost",
    secureContext: true,
    issuerKey: "11".repeat(32),
    logKey: "00".repeat(32),
  };
  const view = {
    task: bundledTask("hmda", 8, 1),
    taskHash: "22".repeat(32),
    parameterCount: 1,
    vectorLength: 1,
    bitsPerWeight: 32,
    deviceCount: 0,
    activeRunId: null,
    measures: null,
    latestModelHash: null,
    createdAt: new Date(0).toISOString(),
    createdBy: "ada",
  };
  server = createServer((request, response) => {
    const body =
      request.url === "/api/v1/status" ? status : request.url === "/api/v1/tasks/hmda" ? view : null;
    response.statusCode = body === null ? 404 : 200;
    const missing = {
      error: { code: "UNKNOWN_TASK", message: "There is no such task. Check the link.", retry: "never" },
    };
    response.end(JSON.stringify(body ?? missing));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.close();
  rmSync(folder, { recursive: true });
});

function write(path: string, text: string): () => void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  return () => {};
}

function fill(path: string): void {
  try {
    for (;;) appendFileSync(path, new Uint8Array(4_096));
  } catch {
    // Full.
  }
}

function edge(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [EDGE, ...args], { timeout: 60_000 }, (fault, stdout, stderr) =>
      resolve({
        code: typeof fault?.code === "number" ? fault.code : fault === null ? 0 : -1,
        stdout,
        stderr,
      }),
    );
  });
}

describe("the edge", () => {
  test("explains itself", async () => {
    const { code, stdout } = await edge("--help");
    expect(code).toBe(0);
    for (const option of [
      "--coordinator",
      "--task",
      "--data",
      "--backend",
      "--token",
      "--state",
      "--record",
      "--rounds-max",
    ]) {
      expect(stdout).toContain(option);
    }
  });

  test.each([
    ["nothing", [], /--coordinator, --task and --data are required/],
    ["an unknown option", ["--what"], /Unknown option '--what'/],
    [
      "no address",
      ["--coordinator", "there", "--task", "hmda", "--data", "x"],
      /--coordinator is not an http or https address/,
    ],
    [
      "a coordinator with a path",
      ["--coordinator", "https://chorus.example.org/lab", "--task", "hmda", "--data", "x"],
      /--coordinator has a path.*root of its site/,
    ],
    [
      "an unknown engine",
      ["--coordinator", "http://x", "--task", "hmda", "--data", "x", "--backend", "abacus"],
      /one of auto, webgpu, wasm, cpu, not abacus/,
    ],
    [
      "no rounds",
      ["--coordinator", "http://x", "--task", "hmda", "--data", "x", "--rounds-max", "0"],
      /whole number of 1 or more/,
    ],
  ])("given %s exits with 2 and says what is wanted", async (_, args, message) => {
    const { code, stderr } = await edge(...args);
    expect(code).toBe(2);
    expect(stderr).toMatch(message);
  });

  test.each([
    ["of another shape", "a,b\n1,2", /Your file has nothing for pirat, hirat, /],
    ["with text in its numbers", "HEADER\nx", /The only row cannot be used\. Row 1 has 1 column where/],
    ["that is empty", "", /The file is empty/],
  ])("given a CSV file %s exits with 2 and says what is wrong", async (_, text, message) => {
    const { features } = bundledTask("hmda", 8, 1);
    if (features.kind !== "tabular") throw new Error("hmda is a table");
    const header = [...features.columns.map(({ name }) => name), features.label.name].join();
    const path = join(folder, "rows.csv");
    writeFileSync(path, text.replace("HEADER", header));
    const { code, stderr } = await edge(
      "--coordinator",
      url,
      "--task",
      "hmda",
      "--data",
      path,
      "--state",
      join(folder, "state"),
    );
    expect(stderr).toMatch(message);
    expect(code).toBe(2);
  });

  const STATE_CASES: readonly [string, (state: string) => (() => void) | null, RegExp][] = [
    ["that is a file", (state) => write(state, ""), /cannot be used .* with --state/],
    [
      "with a damaged key",
      (state) => write(join(state, "identity.key"), "x"),
      /identity\.key is damaged\. .* with --state/,
    ],
    [
      "with a damaged memory",
      (state) => write(join(state, "memory.jsonl"), "x\n"),
      /line 1 of .* is damaged, .* with --state/,
    ],
    [
      "that is read-only",
      (state) => {
        mkdirSync(state);
        return makeReadOnly(state);
      },
      /cannot be used .* with --state/,
    ],
    [
      "that is full",
      (state) => {
        mkdirSync(state);
        const unmount = mountTmpfs(state, 65_536);
        if (unmount !== null) fill(join(state, "filling"));
        return unmount;
      },
      /cannot be used .*ENOSPC.* with --state/,
    ],
  ];
  test.for(STATE_CASES)(
    "given a state folder %s exits with 5 and a sentence",
    async ([name, make, message], context) => {
      const state = join(folder, `state ${name}`);
      const undo = make(state);
      if (undo === null) return context.skip(NO_MOUNT);
      try {
        const args = ["--coordinator", url, "--task", "hmda", "--data", ROWS, "--state", state];
        const { code, stderr } = await edge(...args);
        expect(stderr).toMatch(message);
        expect(stderr).not.toMatch(/\n\s+at /);
        expect(code).toBe(5);
      } finally {
        undo();
      }
    },
  );

  test("given a task that does not exist exits with 3", async () => {
    const { code, stderr } = await edge("--coordinator", url, "--task", "nothing", "--data", folder);
    expect(code).toBe(3);
    expect(stderr).toMatch(/There is no such task/);
  });
});
