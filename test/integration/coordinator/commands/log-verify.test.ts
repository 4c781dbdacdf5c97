import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";
import { bytesToHex } from "#shared/kernel/bytes.ts";
import { primitives } from "#shared/node/system.ts";
import type { HashHex } from "#shared/protocol/ids.ts";
import { logEvidence } from "#shared/secagg/log-evidence.ts";
import { agreedConfigOf } from "#shared/task/agreed-config.ts";
import { makeInputReceipt } from "#shared/transcript/input-receipt.ts";
import { MemoryLog } from "#test/kit/tlog.ts";
import { sealInputs } from "#test/kit/worlds/sealed-inputs.ts";
import { smallTask } from "#test/kit/worlds/small-task.ts";

/* `npm run log -- verify` as a process, with a receipt, with evidence, and with files that are neither. */

const LOG = fileURLToPath(new URL("../../../../coordinator/commands/log.ts", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "chorus-log-"));
afterAll(() => rmSync(folder, { recursive: true }));

function run(
  ...args: string[]
): Promise<{ readonly code: number; readonly out: string; readonly error: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [LOG, ...args], { timeout: 60_000 }, (fault, out, error) =>
      resolve({ code: fault === null ? 0 : Number(fault.code), out, error }),
    );
  });
}

function fileOf(name: string, text: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

async function receipt() {
  const log = new MemoryLog(primitives);
  const session = { roundId: "cd".repeat(16), sid: "5d".repeat(32) };
  const { entry, own } = await sealInputs(primitives, log, session, { count: 4, ownIndex: 2 });
  const known = { origin: log.origin, key: log.publicKey, seen: null };
  const made = await makeInputReceipt(primitives, await log.proof(null, [entry]), known, own);
  if (!made.ok) throw new Error(made.error.type);
  return made.value;
}

/** Of a device that saw a log with two entries, and then another one with two. */
async function evidence() {
  const log = new MemoryLog(primitives);
  const entry = { roundId: "cd".repeat(16), code: "TIMEOUT", opened: false };
  await log.add("round.aborted", entry);
  const forked = log.fork();
  await log.add("round.aborted", entry);
  const { size, root } = await log.head();
  const key = bytesToHex(log.publicKey) as HashHex;
  const seen = { size, root: bytesToHex(root) as HashHex, key, checkpoint: await log.checkpoint() };
  await forked.add("round.aborted", { ...entry, code: "STOPPED" });
  const { leaves, consistency, ...proof } = await forked.proof(2, []);
  const authority = { projectId: "default", codeVersion: "1", issuerKey: "ab".repeat(32), logKey: key };
  const config = await agreedConfigOf(
    primitives,
    smallTask(3),
    Object.assign(authority, { logOrigin: log.origin }),
  );
  const shown = {
    from: 2,
    checkpoint: proof.checkpoint,
    consistency: [...consistency],
    leaves: [],
    rotations: [],
  };
  expect(leaves).toEqual([]);
  return logEvidence({ config, seen, shown, at: 0, finding: "The log was split." });
}

test("[A72] the command checks a receipt offline, refuses a changed one, and asks for the key", async () => {
  const { text, logKey } = await receipt();
  const path = fileOf("round.tlog-proof", text);
  const held = await run("verify", path, "--key", logKey);
  expect([held.code, held.error]).toEqual([0, ""]);
  expect(held.out).toContain("The receipt holds.");
  expect(await run("verify", path)).toMatchObject({ code: 2, error: expect.stringContaining("--key") });
  const changed = fileOf("changed.tlog-proof", text.replace("index 0", "index 1"));
  expect(await run("verify", changed, "--key", logKey)).toMatchObject({ code: 1, out: "" });
});

test("[A43] the command repeats what a device found wrong with a log", async () => {
  const found = await run("verify", fileOf("log-evidence.json", await evidence()));
  expect(found.code).toBe(0);
  expect(found.out).toMatch(/^contradicted: /);
});

test("[A72] the command names a file that is none of these, and options that are wrong", async () => {
  for (const [name, bytes] of [
    ["text", "constructor"],
    ["json", '{"__proto__":{}}'],
    ["binary", Uint8Array.of(0xff, 0xfe)],
    ["empty", ""],
  ] as const)
    expect(await run("verify", fileOf(name, bytes))).toMatchObject({
      code: 2,
      error: expect.stringContaining("is no receipt, no exported audit and no evidence"),
    });
  expect(await run("verify", join(folder, "gone"))).toMatchObject({ code: 2 });
  expect(await run("constructor")).toMatchObject({ code: 2, error: expect.stringContaining("verify FILE") });
  expect(await run("--help")).toMatchObject({ code: 0 });
});
