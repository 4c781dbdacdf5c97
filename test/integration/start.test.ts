import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Log } from "#coordinator/core/ports.ts";
import { startCoordinator } from "#coordinator/main.ts";
import { pause } from "#test/kit/coordinator-process.ts";

const COMMAND = new URL("../../coordinator/commands/coordinator.ts", import.meta.url).pathname;
const DEMO = new URL("../../coordinator/commands/demo.ts", import.meta.url).pathname;
const EDGE = new URL("../../client/commands/edge.ts", import.meta.url).pathname;
/** Sends the process a SIGTERM when the first module of the program itself is loaded. */
const SIGTERM_WHILE_LOADING = `data:text/javascript,${encodeURIComponent(`
  import { registerHooks } from "node:module";
  registerHooks({
    load(url, context, next) {
      if (/coordinator.main.ts$|client.node.ts$/.test(url)) process.kill(process.pid, "SIGTERM");
      return next(url, context);
    },
  });
`)}`;
const FAULT = new URL("../kit/fault.ts", import.meta.url).pathname;
const quiet: Log = { info: () => undefined, warn: () => undefined, error: () => undefined };

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "chorus-start-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const settings = () => ({ port: 0, host: "127.0.0.1", dataDir: folder, web: false as const, log: quiet });

describe("start", () => {
  test("answers, keeps its issuer key over a restart, and gives everything back when it stops", async () => {
    const first = await startCoordinator(settings());
    const status = await (await fetch(`${first.url}/api/v1/status`)).json();
    expect(status).toEqual(first.status);
    expect(status).toMatchObject({ database: "embedded", joinBaseUrl: first.url, secureContext: true });
    expect((await fetch(`${first.url}/readyz`)).status).toBe(200);
    expect((await (await fetch(`${first.url}/metrics`)).text()).includes("chorus_rounds_total")).toBe(true);
    expect(statSync(join(folder, "issuer.key")).mode & 0o777).toBe(0o600);
    const key = readFileSync(join(folder, "issuer.key"), "utf8").trim();
    expect(key).toMatch(/^[0-9a-f]{64}$/);
    expect(JSON.stringify(status)).not.toContain(key);

    await expect(startCoordinator(settings())).rejects.toThrow(/in use by/);
    expect((await fetch(`${first.url}/livez`)).status).toBe(200);

    await first.stop();
    await expect(fetch(`${first.url}/livez`)).rejects.toThrow();
    const second = await startCoordinator({ ...settings(), port: first.port });
    expect(second.status.issuerKey).toBe(first.status.issuerKey);
    await second.stop();
  });

  test("a second stop joins the first: when either returns, everything is given back", async () => {
    const first = await startCoordinator(settings());
    void first.stop();
    await first.stop();
    const second = await startCoordinator({ ...settings(), port: first.port });
    await second.stop();
  });

  test("what it cannot use is said in a sentence, and nothing is left open", async () => {
    const first = await startCoordinator(settings());
    const other = mkdtempSync(join(tmpdir(), "chorus-start-"));
    try {
      const taken = { ...settings(), dataDir: other, port: first.port };
      await expect(startCoordinator(taken)).rejects.toThrow(`Port ${first.port} is in use`);
      const tls = { certPath: join(other, "none.pem"), keyPath: join(other, "none.pem") };
      await expect(startCoordinator({ ...settings(), dataDir: other, tls })).rejects.toThrow(
        "Check --tls-cert",
      );
      // The folder's lock was given back both times.
      await (await startCoordinator({ ...settings(), dataDir: other })).stop();
    } finally {
      await first.stop();
      rmSync(other, { recursive: true, force: true });
    }
  });
});

describe("as a process", () => {
  test("SIGTERM ends it with 0; --task offers a bundled task", async () => {
    const child = spawn(
      process.execPath,
      [COMMAND, "--api-only", "--port", "0", "--data", folder, "--task", "hmda"],
      {
        stdio: ["ignore", "pipe", "inherit"],
      },
    );
    let output = "";
    child.stdout.on("data", (chunk: Buffer) => {
      output += chunk.toString();
    });
    await expect.poll(() => output).toMatch(/Chorus on (\S+)\./);
    const url = /Chorus on (\S+)\./.exec(output)?.[1] ?? "";
    const task = await (await fetch(`${url}/api/v1/tasks/hmda`)).json();
    expect(task).toMatchObject({ task: { slug: "hmda", version: 1 } });
    const code = await new Promise((resolve) => {
      child.on("exit", resolve);
      child.kill("SIGTERM");
    });
    expect(code).toBe(0);
  });

  test.each([
    ["the coordinator", COMMAND, ["--api-only", "--port", "0", "--data"]],
    ["the demo", DEMO, ["--api-only", "--port", "0", "--exit", "--data"]],
    ["an edge", EDGE, ["--coordinator", "http://127.0.0.1:9", "--task", "digits", "--data"]],
  ])("a SIGTERM while %s loads its program ends it with 0", (_name, command, options) => {
    const args = ["--import", SIGTERM_WHILE_LOADING, command, ...options, join(folder, "early")];
    const { status, signal, stdout } = spawnSync(process.execPath, args, { encoding: "utf8" });
    expect([status, signal, stdout]).toEqual([0, null, ""]);
  });

  test("a second SIGTERM joins the first stop, which ends whole", async () => {
    const args = [COMMAND, "--api-only", "--port", "0", "--data", folder];
    const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
    let output = "";
    child.stdout.on("data", (chunk: Buffer) => {
      output += chunk.toString();
    });
    await expect.poll(() => output).toMatch(/Chorus on (\S+)\./);
    expect(existsSync(join(folder, "lock.holder"))).toBe(true);
    const ended = once(child, "exit");
    for (const signal of ["SIGTERM", "SIGTERM", "SIGINT"] as const) {
      child.kill(signal);
      await pause(5);
    }
    expect(await ended).toEqual([0, null]);
    // The last thing that a stop gives back.
    expect(existsSync(join(folder, "lock.holder"))).toBe(false);
    expect(output).toContain('"stopped"');
  });

  test.each([
    [["--port", "x"], "--port"],
    [["--task", "nothing"], "--task"],
    [["--tls-key", "x"], "go together"],
    [["--public-url", "ftp://x"], "not an http"],
  ])("bad options %j", (args, sentence) => {
    const { status, stderr } = spawnSync(process.execPath, [COMMAND, ...args], { encoding: "utf8" });
    expect(stderr).toContain(sentence);
    expect(status).toBe(2);
  });

  test.each(["throw", "reject"])(
    "a fault (%s) ends the process, whatever else listens, and is logged",
    (how) => {
      const { status, stdout } = spawnSync(process.execPath, [FAULT, how], {
        encoding: "utf8",
        timeout: 60_000,
      });
      expect(status).toBe(70);
      expect(stdout).toContain("planted fault");
    },
  );
});
