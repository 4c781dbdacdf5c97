import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { lockDataFolder } from "#coordinator/adapters/folder-lock.ts";
import { lockFolder } from "#shared/node/lock.ts";

const TAKER = new URL("../../../kit/children/lock-taker.ts", import.meta.url).pathname;

let folder: string;
const children: ChildProcessByStdio<null, Readable, null>[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "chorus-lock-"));
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
  rmSync(`${folder}.go`, { force: true });
});

/** A process that waits for the signal to take the lock; `said` resolves with its whole output once that matches. */
function spawnTaker(...options: string[]) {
  const child = spawn(process.execPath, [TAKER, folder, ...options], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  children.push(child);
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => {
    output += chunk.toString();
  });
  const said = (pattern: RegExp) =>
    expect
      .poll(() => output)
      .toMatch(pattern)
      .then(() => output);
  return { child, said };
}

const go = () => writeFileSync(`${folder}.go`, "");

function take() {
  const lock = lockFolder(folder);
  if (!lock.ok) throw new Error(JSON.stringify(lock.error));
  return lock.value;
}

describe("a folder's lock", () => {
  test("[R41] [S10] exactly one of several processes gets it at the same instant, every time", async () => {
    for (let time = 0; time < 15; time++) {
      rmSync(`${folder}.go`, { force: true });
      const takers = [spawnTaker(), spawnTaker(), spawnTaker()];
      await Promise.all(takers.map(({ said }) => said(/^ready\n/)));
      go();
      const outputs = await Promise.all(takers.map(({ said }) => said(/\n.*\n/)));
      expect(outputs.filter((output) => output.includes("\nheld\n"))).toHaveLength(1);
      expect(outputs.filter((output) => output.includes('"type":"held"'))).toHaveLength(2);
      for (const { child } of takers) {
        const ended = child.exitCode === null ? once(child, "exit") : null;
        child.kill("SIGKILL");
        await ended;
      }
    }
  });

  test("[R41] kill -9 frees it, even if a child of the holder lives on", async () => {
    const { child, said } = spawnTaker("--with-child");
    go();
    const childPid = Number(/child (\d+)/.exec(await said(/held/))?.[1]);
    expect(lockFolder(folder)).toMatchObject({
      ok: false,
      error: { type: "held", holder: `process ${child.pid} on ${hostname()}` },
    });
    child.kill("SIGKILL");
    await once(child, "exit");
    process.kill(childPid, 0);
    take().release();
    process.kill(childPid, "SIGKILL");
  });

  test("has no second holder in one process either, and is free again after a release", () => {
    const first = take();
    expect(lockFolder(folder)).toMatchObject({ ok: false, error: { type: "held" } });
    // The refused attempt opened and closed the file; the first one's lock is still there.
    expect(lockFolder(folder)).toMatchObject({ ok: false, error: { type: "held" } });
    first.release();
    first.release();
    expect(existsSync(join(folder, "lock.holder"))).toBe(false);
    take().release();
  });

  test("is still held against other processes after refused attempts in this one", async () => {
    const held = take();
    expect(lockFolder(folder).ok).toBe(false);
    const other = spawnTaker();
    go();
    expect(await other.said(/\n.*\n/)).toContain(`process ${process.pid} on `);
    held.release();
  });

  test("[R41] trusts no process id: what a holder wrote about itself proves nothing, and is shown only if there is a holder", () => {
    writeFileSync(join(folder, "lock.holder"), `process ${process.ppid} on ${hostname()}\n`);
    const held = take();
    expect(readFileSync(join(folder, "lock.holder"), "utf8")).toContain(String(process.pid));
    writeFileSync(join(folder, "lock.holder"), "\u001b[2Jsomething else\n");
    expect(lockFolder(folder)).toMatchObject({ ok: false, error: { type: "held", holder: null } });
    held.release();
  });

  test("[R41] nobody gets it on a file that may only be read", async () => {
    take().release();
    chmodSync(folder, 0o755);
    chmodSync(join(folder, "lock.db"), 0o444);
    const takers = [spawnTaker("--as-nobody"), spawnTaker("--as-nobody")];
    go();
    for (const { said } of takers) expect(await said(/\n.*\n/)).toContain('"type":"unusable"');
  });

  test("[R41] a release does not throw in a folder that cannot be written to", async () => {
    take().release();
    writeFileSync(join(folder, "lock.holder"), `process 1 on ${hostname()}\n`);
    chmodSync(join(folder, "lock.db"), 0o666);
    chmodSync(folder, 0o555);
    const taker = spawnTaker("--as-nobody", "--release");
    go();
    expect(await taker.said(/\n.*\n/)).toContain("released");
    chmodSync(folder, 0o755);
    take().release();
  });

  test("reports what cannot be locked: no folder, and a damaged file", () => {
    expect(lockFolder(join(folder, "none"))).toMatchObject({ ok: false, error: { type: "unusable" } });
    writeFileSync(join(folder, "lock.db"), "this is no database, but long enough to be looked at".repeat(40));
    expect(lockFolder(folder)).toMatchObject({ ok: false, error: { type: "unusable" } });
    expect(() => lockDataFolder(folder)).toThrow(/cannot be locked .* delete that file/);
  });

  test("tells a coordinator who holds it and what to do", () => {
    const held = lockDataFolder(folder);
    expect(() => lockDataFolder(folder)).toThrow(
      new RegExp(`in use by another coordinator \\(process ${process.pid} on .*\\)\\. Stop that one first`),
    );
    held.release();
  });
});
