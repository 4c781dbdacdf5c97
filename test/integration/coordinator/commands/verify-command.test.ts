import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { passBearer } from "#coordinator/adapters/audit-source.ts";
import { LOG_FOLDER, openLogFiles } from "#coordinator/adapters/log-files.ts";
import { readLogKeys } from "#coordinator/adapters/log-key.ts";
import { assert, present } from "#shared/kernel/assert.ts";
import { hexToBytes, utf8 } from "#shared/kernel/bytes.ts";
import { primitives } from "#shared/node/system.ts";
import { parseCheckpoint } from "#shared/tlog/checkpoint.ts";
import { parseNote } from "#shared/tlog/note.ts";
import { openTiledTree } from "#shared/tlog/tiled-tree.ts";
import { MemoryLog } from "#test/kit/tlog.ts";

/*
 * `npm run verify` as a person runs it, against the demo as a person starts it, and against a coordinator that lies: a
 * relay in between changes the real one's answers.
 */

const commandPath = (name: string) =>
  new URL(`../../../../coordinator/commands/${name}.ts`, import.meta.url).pathname;
let folder: string;
let keyPath: string;
let demo: ChildProcess;
let url: string;
let runId: string;
let token: string;
let roundIds: readonly string[];
const servers: Server[] = [];

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const verify = (...args: string[]): Promise<Ended> => perform("verify", args);
const reproduce = (...args: string[]): Promise<Ended> => perform("reproduce", args);

function perform(command: string, args: readonly string[]): Promise<Ended> {
  const child = spawn(process.execPath, [commandPath(command), ...args]);
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (chunk: Buffer) => {
    stdout += chunk.toString();
  });
  child.stderr.on("data", (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  return new Promise((resolve) => child.on("close", (code) => resolve({ code, stdout, stderr })));
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "chorus-verify-"));
  keyPath = join(folder, "auditor.key");
  const args = ["--api-only", "--port", "0", "--clients", "3", "--rounds", "2", "--data", folder];
  demo = spawn(process.execPath, [commandPath("demo"), ...args], { stdio: ["ignore", "pipe", "inherit"] });
  let output = "";
  demo.stdout?.on("data", (chunk: Buffer) => {
    output += chunk.toString();
  });
  await vi.waitUntil(() => output.includes("The run has ended."), { timeout: 120_000, interval: 200 });
  const [, base = "", run = ""] = /: (http\S+)\/runs\/(\w+)/.exec(output) ?? [];
  url = base;
  runId = run;
  [token = ""] = /cht_\S+/.exec(output) ?? [];
  expect(output).toContain(`Auditor's key  ${keyPath}`);
  const rounds = (await (
    await fetch(`${url}/api/v1/runs/${runId}/rounds`, { headers: { authorization: `Bearer ${token}` } })
  ).json()) as {
    readonly items: readonly { readonly roundId: string }[];
  };
  roundIds = rounds.items.map(({ roundId }) => roundId);
}, 150_000);

afterAll(async () => {
  for (const server of servers) server.close();
  const ended = new Promise((resolve) => demo.on("close", resolve));
  demo.kill("SIGINT");
  await ended;
  rmSync(folder, { recursive: true, force: true });
}, 60_000);

/** A coordinator with one answer changed. */
function liar(path: RegExp, change: (bytes: Uint8Array<ArrayBuffer>) => void, status = 200): Promise<string> {
  return relay((asked, bytes) => {
    if (!path.test(asked)) return undefined;
    change(bytes);
    return bytes;
  }, status);
}

/** The demo's coordinator with other answers. @param answerFor  The bytes in place of its own; undefined for its own. */
async function relay(
  answerFor: (path: string, own: Uint8Array<ArrayBuffer>) => Uint8Array | undefined,
  status = 200,
): Promise<string> {
  const pass = async (request: IncomingMessage, response: ServerResponse) => {
    const { method = "GET", headers } = request;
    const { authorization = "" } = headers;
    const answer = await fetch(url + (request.url ?? ""), {
      method,
      headers: authorization === "" ? {} : { authorization },
    });
    const bytes = new Uint8Array(await answer.arrayBuffer());
    const other = answerFor(request.url ?? "", bytes);
    const merklePath = answer.headers.get("chorus-merkle-path") ?? "";
    const code = other === undefined ? answer.status : status;
    response.writeHead(code, { "chorus-merkle-path": merklePath }).end(other ?? bytes);
  };
  const server = createServer((request, response) => void pass(request, response));
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A coordinator that shows another log under its own key: the same entries, but for the first. */
async function forkedLog(): Promise<string> {
  const [signer] = present(await readLogKeys(folder), "the demo's log has a key");
  const files = openLogFiles(join(folder, LOG_FOLDER));
  const note = parseNote(present(await files.checkpoint(), "a checkpoint"));
  const checkpoint = note.ok ? parseCheckpoint(note.value.text) : note;
  assert(checkpoint.ok, "the demo's checkpoint reads");
  const tree = await openTiledTree(primitives, checkpoint.value, (path) => files.read(path));
  const leaves = tree.ok ? await tree.value.leaves(0, checkpoint.value.size) : tree;
  assert(leaves.ok, "the demo's log reads");
  const forked = new MemoryLog(primitives, checkpoint.value.origin);
  forked.signWith(present(signer, "a signer"), 0);
  await forked.addBytes(utf8("another entry"), ...leaves.value.slice(1));
  const signed = utf8(await forked.checkpoint());
  return relay((path) =>
    path === "/log/checkpoint" ? signed : forked.files.get(path.slice("/log/".length)),
  );
}

describe("npm run verify", () => {
  const newest = () => roundIds.at(-1) ?? "";
  const args = (...more: string[]) => ["round", newest(), "--auditor-key", keyPath, ...more];

  test("[A2] [A4] [A6] reports that an honest round holds, in whole and in part", async () => {
    expect(statSync(keyPath).mode & 0o777).toBe(0o600);
    const whole = await verify(...args("--coordinator", url, "--all"));
    expect([whole.code, whole.stderr]).toEqual([0, ""]);
    expect(whole.stdout).toMatch(/3 devices, 3 inputs in the sum, 3 needed\./);
    expect(whole.stdout).toMatch(
      /identical to the last bit\.\n3 inputs state .*\nEverything that was checked holds/,
    );
    const part = await verify(...args("--coordinator", url, "--chunks", "1"));
    expect([part.code, part.stderr]).toEqual([0, ""]);
  });

  test.each([
    ["SUM", /\/sum$/, 8],
    ["CHUNK", /\/inputs\/2\/0$/, 100],
    ["TRANSCRIPT_HASH", /\/transcript\/0$/, 500],
  ])("names what does not hold and says so in its exit code: %s", async (code, path, at) => {
    const base = await liar(path, (bytes) => {
      bytes[at] = (bytes[at] ?? 0) ^ 1;
    });
    const { code: exit, stderr } = await verify(...args("--coordinator", base, "--all"));
    expect(stderr).toContain(`WRONG (${code}): `);
    expect(exit).toBe(1);
  });

  test("[A4] a refused chunk is a fault, and a broken answer voids the odds", async () => {
    const refusing = (status: number) => liar(/\/inputs\/2\/0$/, () => undefined, status);
    const refused = await verify(...args("--coordinator", await refusing(404), "--all"));
    expect([refused.code, refused.stderr.startsWith("WRONG (WITHHELD): Chunk 0 of ")]).toEqual([1, true]);
    const broken = await verify(...args("--coordinator", await refusing(500), "--all"));
    expect([broken.code, broken.stderr]).toEqual([
      2,
      expect.stringMatching(/answered 500 .*\n.*The next try has odds of its own/),
    ]);
  });

  test("[R50] a kept input that the disk damaged is not served as good, and the answer says so", async () => {
    const spool = join(folder, "spool");
    const [sid = ""] = readdirSync(spool);
    const path = join(spool, sid, "2");
    const bytes = readFileSync(path);
    const damaged = Uint8Array.from(bytes);
    damaged[50] = (damaged[50] ?? 0) ^ 1;
    const pass = await passBearer(primitives, url, hexToBytes(readFileSync(keyPath, "utf8").trim()))();
    const headers = { authorization: `Bearer ${pass}` };
    const ask = () => fetch(`${url}/api/v1/rounds/${newest()}/transcript/0/inputs/2/0`, { headers });
    try {
      // After its tree was made and remembered, and with its end cut off.
      expect((await ask()).status).toBe(200);
      for (const content of [damaged, bytes.subarray(0, 40)]) {
        writeFileSync(path, content);
        const answer = await ask();
        expect([answer.status, await answer.text()]).toEqual([
          404,
          expect.stringContaining("disk has damaged this input"),
        ]);
      }
      const said = await verify(...args("--coordinator", url, "--all"));
      expect([said.code, said.stderr]).toEqual([1, expect.stringContaining("WRONG (WITHHELD): Chunk 0 of ")]);
    } finally {
      writeFileSync(path, bytes);
    }
    expect((await ask()).status).toBe(200);
  });

  test("[A110] a served log that denies what a device signed that it saw is named, and the honest one holds", async () => {
    const honest = await verify(...args("--coordinator", url, "--chunks", "1"));
    expect(honest.stdout).toMatch(
      /\n3 inputs state what the device saw of the log; the log of \d+ entries goes on/,
    );
    const forked = await verify(...args("--coordinator", await forkedLog(), "--chunks", "1"));
    expect([forked.code, forked.stderr]).toEqual([
      1,
      expect.stringMatching(
        /^WRONG \(SPLIT_VIEW\): The device at position \d+ signed .*Two logs were shown\./,
      ),
    ]);
    const none = await verify(
      ...args("--coordinator", await liar(/^\/log\/checkpoint$/, () => undefined, 404)),
    );
    expect([none.code, none.stderr]).toEqual([
      1,
      expect.stringContaining("WRONG (WITHHELD): The public log"),
    ]);
  });

  test("[A3] opens nothing with another key", async () => {
    const other = join(folder, "other.key");
    writeFileSync(other, `${"17".repeat(32)}\n`);
    const { code, stderr } = await verify("round", newest(), "--auditor-key", other, "--coordinator", url);
    expect([code, stderr.startsWith("This is not the auditor's key")]).toEqual([2, true]);
  });

  test("[A2] holds devices to an issuer and a config that are known from elsewhere", async () => {
    const honest = await verify(...args("--coordinator", url, "--chunks", "1"));
    const pin = (name: string) => new RegExp(`^${name} ([0-9a-f]{64}) `, "m").exec(honest.stdout)?.[1] ?? "";
    const pinned = ["--issuer", pin("Issuer"), "--config", pin("Config")];
    expect((await verify(...args("--coordinator", url, ...pinned))).code).toBe(0);
    for (const flag of ["--issuer", "--config"]) {
      const { code, stderr } = await verify(...args("--coordinator", url, flag, "ab".repeat(32)));
      expect([code, stderr.startsWith("WRONG (TERMS): ")]).toEqual([1, true]);
    }
  });

  test("[A5] says that an older round is no longer kept", async () => {
    const { code, stderr } = await verify(
      "round",
      roundIds[0] ?? "",
      "--auditor-key",
      keyPath,
      "--coordinator",
      url,
    );
    expect([code, stderr]).toEqual([2, "The transcript of this round is no longer kept.\n"]);
  });

  test.each([
    [[], "Name the round"],
    [["round", "xyz"], "Name the round"],
    [["round", "0".repeat(32)], "--auditor-key"],
    [["round", "0".repeat(32), "--auditor-key", "/nowhere"], "/nowhere cannot be read"],
    [["round", "0".repeat(32), "--auditor-key", "x", "--all", "--chunks", "1"], "either --chunks or --all"],
    [["round", "0".repeat(32), "--auditor-key", "x", "--chunks", "0"], "--chunks is"],
    [["round", "0".repeat(32), "--auditor-key", "x", "--coordinator", "nothing"], "is not an http"],
    [["--nothing"], "See --help."],
  ])("refuses %j", async (given, sentence) => {
    const { code, stderr } = await verify(...given);
    expect([code, stderr.includes(sentence)]).toEqual([2, true]);
  });

  test("distinguishes an unknown round from an unreachable coordinator", async () => {
    const unknown = ["round", "0".repeat(32), "--auditor-key", keyPath, "--coordinator"];
    expect((await verify(...unknown, url)).stderr).toContain("has no round");
    expect((await verify(...unknown, "http://127.0.0.1:9")).stderr).toContain("There is no coordinator at");
  });
});

describe("npm run reproduce", () => {
  test("[A12] repeats a run and a version from records and published sums, also rounds whose transcript is gone", async () => {
    const whole = await reproduce(runId, "--token", token, "--coordinator", url);
    expect([whole.code, whole.stderr]).toEqual([0, ""]);
    expect(whole.stdout).toMatch(/^Round 1\n {2}Model [0-9a-f]{64}: the round trained the model of .*\n/);
    expect(whole.stdout.match(/identical to the last bit/g)).toHaveLength(2);
    expect(whole.stdout).toMatch(/The same bytes: 2 models, the last one [0-9a-f]{64}\.\n$/);
    const first = await reproduce("digits@1", "--token", token, "--coordinator", url);
    expect([first.code, first.stderr]).toEqual([0, ""]);
    expect(first.stdout).toMatch(/The same bytes: 1 models, the last one [0-9a-f]{64}\.\n$/);
  });

  test.each([
    ["SUM_HASH", /\/sum$/],
    ["WITHHELD", /\/models\/[0-9a-f]{64}$/],
  ])("[A12] names what is not the same: %s", async (code, path) => {
    const base = await liar(
      path,
      (bytes) => {
        bytes[8] = (bytes[8] ?? 0) ^ 1;
      },
      code === "WITHHELD" ? 404 : 200,
    );
    const { code: exit, stderr } = await reproduce(runId, "--token", token, "--coordinator", base);
    expect(stderr).toContain(`WRONG (${code}), round `);
    expect(exit).toBe(1);
  });

  test("[A12] says what it could not check, and takes neither for the same nor for a difference", async () => {
    const without = async (path: RegExp, what: string) => {
      const base = await liar(path, () => undefined, 404);
      return reproduce(what, "--token", token, "--coordinator", base);
    };
    const [first = "", second = ""] = roundIds;
    const unlinked = await without(/\/runs\/[0-9a-f]{32}$/, runId);
    expect([unlinked.code, unlinked.stderr]).toEqual([
      2,
      expect.stringContaining("unknown what these rounds began with: 1."),
    ]);
    expect(unlinked.stdout).toContain("was NOT checked: the coordinator has no record of the run.");
    expect(unlinked.stdout).not.toContain("The same bytes");
    const gap = "The coordinator has no record of round 2, so";
    for (const what of [runId, "digits@2"]) {
      const cut = await without(new RegExp(`/rounds/${second}$`), what);
      expect([cut.code, cut.stderr], what).toEqual([2, expect.stringContaining(gap)]);
      expect(cut.stdout).not.toContain("The same bytes");
    }
    const none = await reproduce("0".repeat(32), "--token", token, "--coordinator", url);
    expect([none.code, none.stderr]).toEqual([
      2,
      expect.stringContaining("No round of this run has committed"),
    ]);
    const early = await without(new RegExp(`/rounds/${first}$`), "digits@2");
    expect([early.code, early.stderr]).toEqual([2, expect.not.stringContaining("WRONG")]);
  });

  test.each([
    [["xyz"], "Name a run by its 32 hex digits"],
    [[], "Name a run by its 32 hex digits"],
    [["digits@1", "digits@2"], "Name a run by its 32 hex digits"],
    [["__proto__"], "Name a run by its 32 hex digits"],
    [["digits@999"], "has no model digits@999"],
    [["0".repeat(32)], "Give an API token"],
    [["digits@1", "--coordinator", "ftp://x"], "--coordinator"],
    [["digits@1", "--token", "x"], "cht_"],
    [["digits@1"], "Give an API token"],
    [["--frobnicate"], "See --help"],
  ])("says what is wrong with %j", async (args, said) => {
    const own = args.includes("--coordinator") ? args : [...args, "--coordinator", url];
    const { code, stderr } = await reproduce(...own);
    expect(stderr).toContain(said);
    expect(code).toBe(2);
  });

  test("explains itself", async () => {
    const { code, stdout } = await reproduce("--help");
    expect([code, stdout.startsWith("npm run reproduce -- RUN")]).toEqual([0, true]);
  });
});
