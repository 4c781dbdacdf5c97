import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { openLog } from "#coordinator/adapters/log.ts";
import type { RunningCoordinator } from "#coordinator/main.ts";
import { localSigner } from "#shared/crypto/signature.ts";
import { equalBytes, hexToBytes } from "#shared/kernel/bytes.ts";
import { primitives } from "#shared/node/system.ts";
import { type Checkpoint, parseCheckpoint } from "#shared/tlog/checkpoint.ts";
import { formatVerifierKey, SIGNATURE_TYPES, verifierKey } from "#shared/tlog/note.ts";
import { openTiledTree } from "#shared/tlog/tiled-tree.ts";
import { adminToken, startClaimed } from "#test/kit/worlds/admin.ts";
import { runCommand } from "#test/kit/worlds/run-command.ts";

const scratch = mkdtempSync(join(tmpdir(), "chorus-log-command-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));
const log = openLog({ destination: { write: () => {} } });
const start = (dataDir: string) => startClaimed({ port: 0, host: "127.0.0.1", dataDir, web: false, log });

function checkpointIn(dataDir: string): Checkpoint {
  const text = readFileSync(join(dataDir, "log/checkpoint"), "utf8");
  const parsed = parseCheckpoint(`${text.split("\n\n")[0]}\n`);
  if (!parsed.ok) throw new Error(parsed.error.sentence);
  return parsed.value;
}

/** Logs one more entry, and waits for its checkpoint. */
async function logMore(running: RunningCoordinator, dataDir: string): Promise<Checkpoint> {
  const { size } = checkpointIn(dataDir);
  await adminToken(running.accessDesk);
  await expect.poll(() => checkpointIn(dataDir).size).toBeGreaterThan(size);
  return checkpointIn(dataDir);
}

async function expectExtends(dataDir: string, earlier: Checkpoint): Promise<void> {
  const read = async (path: string) => {
    try {
      return new Uint8Array(readFileSync(join(dataDir, "log", path)));
    } catch {
      return null;
    }
  };
  const tree = await openTiledTree(primitives, checkpointIn(dataDir), read);
  const past = tree.ok ? await tree.value.rootAt(earlier.size) : null;
  expect(past?.ok === true && equalBytes(past.value, earlier.root)).toBe(true);
}

const isSigning = async ({ url }: RunningCoordinator) =>
  ((await (await fetch(`${url}/readyz`)).json()) as { checks: Record<string, boolean> }).checks["log"];

test("[A38] fsck, prove and verify say whether a log holds, and name what does not", async () => {
  const dataDir = join(scratch, "checked");
  const running = await start(dataDir);
  await expect.poll(() => existsSync(join(dataDir, "log/checkpoint"))).toBe(true);
  await logMore(running, dataDir);
  await running.stop();
  const { origin, size } = checkpointIn(dataDir);
  const { publicKey } = localSigner(hexToBytes(readFileSync(join(dataDir, "log.key"), "utf8").trim()));
  const key = formatVerifierKey(await verifierKey(primitives, origin, SIGNATURE_TYPES.ed25519, publicKey));
  const other = formatVerifierKey(
    await verifierKey(primitives, origin, SIGNATURE_TYPES.ed25519, localSigner(new Uint8Array(32)).publicKey),
  );
  const ask = (...args: readonly string[]) => runCommand("log", args);
  expect(await ask("fsck", "--data", dataDir, "--key", key)).toMatchObject({
    code: 0,
    stdout: expect.stringContaining(`All ${size} entries`),
  });
  expect((await ask("fsck", "--data", dataDir, "--key", other)).code).toBe(1);
  // Without --key the folder's own key counts.
  expect(await ask("fsck", "--data", dataDir)).toMatchObject({
    code: 0,
    stdout: expect.stringContaining("signed by the key in log.key"),
  });
  const keyFile = join(dataDir, "log.key");
  const secret = readFileSync(keyFile, "utf8");
  writeFileSync(keyFile, "00".repeat(32));
  expect(await ask("fsck", "--data", dataDir)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("WRONG"),
  });
  rmSync(keyFile);
  expect(await ask("fsck", "--data", dataDir)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("--key"),
  });
  writeFileSync(keyFile, secret, { mode: 0o600 });

  const proof = join(scratch, "entry.tlog-proof");
  const proved = await ask("prove", "1", "--data", dataDir);
  expect(proved.code).toBe(0);
  writeFileSync(proof, proved.stdout);
  expect(await ask("verify", proof, "--key", key)).toMatchObject({
    code: 0,
    stdout: expect.stringContaining("entry 1"),
  });
  expect((await ask("verify", proof, "--key", other)).code).toBe(1);
  writeFileSync(proof, proved.stdout.replace("index 1", "index 0"));
  expect(await ask("verify", proof, "--key", key)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("WRONG"),
  });
  expect((await ask("prove", String(size), "--data", dataDir)).code).toBe(1);

  for (const bad of [[], ["dance"], ["prove", "x"], ["prove", "-1"], ["verify"], ["fsck", "a"]])
    expect((await ask(...bad)).code).toBe(2);
  writeFileSync(proof, "{}");
  expect(await ask("verify", proof, "--key", key)).toMatchObject({ code: 2 });

  const [bundle] = readdirSync(join(dataDir, "log/tile/entries/000.p")).filter(
    (name) => name === String(size),
  );
  const path = join(dataDir, `log/tile/entries/000.p/${bundle}`);
  const bytes = readFileSync(path);
  writeFileSync(path, bytes.with(30, (bytes[30] ?? 0) ^ 1));
  expect(await ask("fsck", "--data", dataDir)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("tile/entries/000"),
  });
});

test("[A39] a restored backup keeps the newer log that is there, and else signs only once it is trusted", async () => {
  const [dataDir, backup, elsewhere] = ["state", "backup", "elsewhere"].map((name) =>
    join(scratch, name),
  ) as [string, string, string];
  const first = await start(dataDir);
  await expect.poll(() => isSigning(first)).toBe(true);
  await expect.poll(() => existsSync(join(dataDir, "log/checkpoint"))).toBe(true);
  expect((await runCommand("backup", ["--data", dataDir, "--to", backup])).code).toBe(0);
  const seen = await logMore(first, dataDir);
  await first.stop();

  // Over the state from which it came: the log goes on, and the database gets its leaves back.
  const over = ["--from", backup, "--data", dataDir, "--replace", "--older"];
  expect((await runCommand("restore", over)).code).toBe(0);
  const again = await start(dataDir);
  await expect.poll(() => isSigning(again)).toBe(true);
  await logMore(again, dataDir);
  await again.stop();
  await expectExtends(dataDir, seen);

  // Elsewhere: nobody knows what was signed since.
  expect((await runCommand("restore", ["--from", backup, "--data", elsewhere])).code).toBe(0);
  const before = checkpointIn(elsewhere);
  const doubted = await start(elsewhere);
  await expect.poll(() => isSigning(doubted)).toBe(false);
  await adminToken(doubted.accessDesk);
  await doubted.stop();
  expect(checkpointIn(elsewhere)).toEqual(before);
  expect((await runCommand("log", ["trust", "--data", elsewhere])).code).toBe(0);
  const trusted = await start(elsewhere);
  await expect.poll(() => isSigning(trusted)).toBe(true);
  await logMore(trusted, elsewhere);
  await trusted.stop();
  await expectExtends(elsewhere, before);
});

test("[A106] --log-origin names a log when it begins, and no other name afterwards", async () => {
  const dataDir = join(scratch, "named");
  const settings = { port: 0, host: "127.0.0.1", dataDir, web: false as const, log };
  const logOrigin = "learn.example.org/log";
  await expect(startClaimed({ ...settings, logOrigin: "ünï code" })).rejects.toThrow(/--log-origin takes/);
  // The refused name has left nothing that the next start would find.
  const named = await startClaimed({ ...settings, logOrigin });
  await expect.poll(() => existsSync(join(dataDir, "log/checkpoint"))).toBe(true);
  expect(checkpointIn(dataDir).origin).toBe(logOrigin);
  expect(named.status).toMatchObject({ logOrigin });
  await named.stop();
  await expect(startClaimed({ ...settings, logOrigin: "other.example.org/log" })).rejects.toThrow(
    /The log is called learn\.example\.org\/log/,
  );
  // It keeps the name, also if it is started without one.
  for (const again of [settings, { ...settings, logOrigin }]) {
    const running = await startClaimed(again);
    await logMore(running, dataDir);
    expect(checkpointIn(dataDir).origin).toBe(logOrigin);
    await running.stop();
  }
  const { size } = checkpointIn(dataDir);
  expect(await runCommand("log", ["fsck", "--data", dataDir])).toMatchObject({
    code: 0,
    stdout: expect.stringContaining(`All ${size} entries of ${logOrigin}`),
  });
});
