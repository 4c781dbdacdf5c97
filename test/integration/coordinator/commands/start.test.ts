import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Log } from "#coordinator/core/ports/ports.ts";
import { bundledTask } from "#coordinator/data/tasks.ts";
import { startCoordinator } from "#coordinator/main.ts";
import { wireError } from "#shared/protocol/errors.ts";
import { WIRE_VERSION } from "#shared/protocol/wire-version.ts";
import { startClaimed } from "#test/kit/worlds/admin.ts";
import { asAdmin } from "#test/kit/worlds/as-admin.ts";
import { pause } from "#test/kit/worlds/coordinator-process.ts";

const COMMAND = new URL("../../../../coordinator/commands/coordinator.ts", import.meta.url).pathname;
const DEMO = new URL("../../../../coordinator/commands/demo.ts", import.meta.url).pathname;
const EDGE = new URL("../../../../client/commands/edge.ts", import.meta.url).pathname;
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
const FAULT = new URL("../../../kit/fault.ts", import.meta.url).pathname;
const quiet: Log = { info: () => undefined, warn: () => undefined, error: () => undefined };

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "chorus-start-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const settings = () => ({ port: 0, host: "127.0.0.1", dataDir: folder, web: false as const, log: quiet });

describe("start", () => {
  test("answers, keeps its issuer key over a restart, and releases everything when it stops", async () => {
    const first = await startClaimed(settings());
    const status = await (await fetch(`${first.url}/api/v1/status`)).json();
    expect(status).toEqual(first.status);
    expect(status).toMatchObject({
      database: "embedded",
      joinBaseUrl: first.url,
      secureContext: true,
      wire: WIRE_VERSION,
    });
    expect((await fetch(`${first.url}/readyz`)).status).toBe(200);
    expect(
      (await (await fetch(`${first.url}/metrics`, { headers: asAdmin(first.url) })).text()).includes(
        "chorus_rounds_total",
      ),
    ).toBe(true);
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

  test("[O4] readiness fails first: a request under way gets its answer, and nothing new is accepted", async () => {
    const running = await startClaimed(settings());
    await running.coordinator.tasks.createTask(bundledTask("digits", 8, 1), "ada");
    let release = () => {};
    const launched = new Promise<void>((resolve) => {
      release = resolve;
    });
    let isAsked = false;
    Object.assign(running.coordinator.runs, {
      launch: async () => {
        isAsked = true;
        await launched;
        return { ok: false, error: wireError("UNKNOWN_TASK") };
      },
    });
    const launch = fetch(`${running.url}/api/v1/runs`, {
      method: "POST",
      headers: { ...asAdmin(running.url), "content-type": "application/json" },
      body: JSON.stringify({ task: "digits", rounds: 1 }),
    });
    await expect.poll(() => isAsked).toBe(true);
    expect((await fetch(`${running.url}/readyz`)).status).toBe(200);
    const stopped = running.stop();
    const readiness = await fetch(`${running.url}/readyz`);
    expect(readiness.status).toBe(503);
    expect(await readiness.json()).toMatchObject({
      ready: false,
      checks: { running: false, database: true },
    });
    expect((await fetch(`${running.url}/livez`)).status).toBe(200);
    expect((await fetch(`${running.url}/api/v1/status`)).status).toBe(503);
    release();
    expect((await launch).status).toBe(404);
    await stopped;
    await expect(fetch(`${running.url}/livez`)).rejects.toThrow();
  });

  test("a second stop joins the first: when either returns, everything is released", async () => {
    const first = await startCoordinator(settings());
    void first.stop();
    await first.stop();
    const second = await startCoordinator({ ...settings(), port: first.port });
    await second.stop();
  });

  test("reports what it cannot use in a sentence, and leaves nothing open", async () => {
    const first = await startCoordinator(settings());
    const other = mkdtempSync(join(tmpdir(), "chorus-start-"));
    try {
      const taken = { ...settings(), dataDir: other, port: first.port };
      await expect(startCoordinator(taken)).rejects.toThrow(`Port ${first.port} is in use`);
      const tls = { certPath: join(other, "none.pem"), keyPath: join(other, "none.pem") };
      await expect(startCoordinator({ ...settings(), dataDir: other, tls })).rejects.toThrow(
        "Check --tls-cert",
      );
      // The folder's lock was released both times.
      await (await startCoordinator({ ...settings(), dataDir: other })).stop();
    } finally {
      await first.stop();
      rmSync(other, { recursive: true, force: true });
    }
  });
});

describe("as a process", () => {
  test("[O5] SIGTERM ends it with 0; --task offers a bundled task; its standard output is the log alone", async () => {
    const child = spawn(
      process.execPath,
      [COMMAND, "--api-only", "--port", "0", "--data", folder, "--task", "hmda"],
      {
        stdio: ["ignore", "pipe", "pipe"],
      },
    );
    const output = { log: "", words: "" };
    child.stdout.on("data", (chunk: Buffer) => {
      output.log += chunk.toString();
    });
    child.stderr.on("data", (chunk: Buffer) => {
      output.words += chunk.toString();
    });
    // The last line says how it gets an admin, and until when.
    await expect
      .poll(() => output.words)
      .toMatch(/first, until \d\d:\d\d UTC, becomes one: http:\S+\/setup#token=chs_\S+ \(.*--api-only/);
    const url = /Chorus on (\S+)\./.exec(output.words)?.[1] ?? "";
    // Nothing is told before it has an admin, whose link it prints.
    const before = await fetch(`${url}/api/v1/tasks/hmda`);
    expect(before.status).toBe(503);
    expect(await before.json()).toMatchObject({ error: { code: "NOT_SET_UP" } });
    const code = await new Promise((resolve) => {
      child.on("exit", resolve);
      child.kill("SIGTERM");
    });
    expect(code).toBe(0);
    const lines = output.log.trim().split("\n");
    expect(lines.map((line) => JSON.parse(line).msg)).toEqual(
      expect.arrayContaining(["listening", "stopped"]),
    );
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

  test("a second SIGTERM joins the first stop, which completes", async () => {
    const args = [COMMAND, "--api-only", "--port", "0", "--data", folder];
    const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
    let output = "";
    child.stdout.on("data", (chunk: Buffer) => {
      output += chunk.toString();
    });
    await expect.poll(() => output).toContain('"listening"');
    expect(existsSync(join(folder, "lock.holder"))).toBe(true);
    const ended = once(child, "exit");
    for (const signal of ["SIGTERM", "SIGTERM", "SIGINT"] as const) {
      child.kill(signal);
      await pause(5);
    }
    expect(await ended).toEqual([0, null]);
    // The last thing that a stop releases.
    expect(existsSync(join(folder, "lock.holder"))).toBe(false);
    expect(output).toContain('"stopped"');
  });

  test.each([
    [["--port", "x"], "--port"],
    [["--task", "nothing"], "--task"],
    [["--tls-key", "x"], "go together"],
    [["--public-url", "ftp://x"], "not an http"],
    [["--public-url", "https://chorus.example.org/lab"], "has a path"],
    [["--trusted-proxy", "proxy.local"], "is not an address or a range"],
    [["--trusted-proxy", "0.0.0.0/0"], "anyone could claim"],
    [["--log-origin", "my log"], "--log-origin takes at most 128"],
    [["--log-origin", "a+b"], "--log-origin takes at most 128"],
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
