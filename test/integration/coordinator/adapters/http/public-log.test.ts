import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { openLog } from "#coordinator/adapters/log.ts";
import { bundledTask } from "#coordinator/data/tasks.ts";
import { webCryptoPrimitives } from "#shared/crypto/primitives-webcrypto.ts";
import { localSigner } from "#shared/crypto/signature.ts";
import { type Bytes, equalBytes, hexToBytes } from "#shared/kernel/bytes.ts";
import { type Checkpoint, openCheckpoint } from "#shared/tlog/checkpoint.ts";
import { parseLeaf } from "#shared/tlog/leaf.ts";
import { SIGNATURE_TYPES, verifierKey } from "#shared/tlog/note.ts";
import { openTiledTree, type TiledTree } from "#shared/tlog/tiled-tree.ts";
import { startClaimed } from "#test/kit/worlds/admin.ts";
import { openApi } from "#test/kit/worlds/coordinator-process.ts";

const primitives = webCryptoPrimitives(crypto.subtle);
const dataDir = mkdtempSync(join(tmpdir(), "chorus-public-log-"));
afterAll(() => rmSync(dataDir, { recursive: true, force: true }));
const log = openLog({ destination: { write: () => {} } });
const start = () => startClaimed({ port: 0, host: "127.0.0.1", dataDir, web: false, log });

const publicKey = () =>
  localSigner(hexToBytes(readFileSync(join(dataDir, "log.key"), "utf8").trim())).publicKey;

/** The served log, read as an outsider reads it. */
async function served(url: string): Promise<{ readonly checkpoint: Checkpoint; readonly tree: TiledTree }> {
  await expect.poll(async () => (await fetch(`${url}/log/checkpoint`)).status).toBe(200);
  const text = await (await fetch(`${url}/log/checkpoint`)).text();
  const origin = text.split("\n", 1)[0] ?? "";
  const key = await verifierKey(primitives, origin, SIGNATURE_TYPES.ed25519, publicKey());
  const opened = await openCheckpoint(primitives, text, key);
  if (!opened.ok) throw new Error(opened.error.type);
  const { checkpoint } = opened.value;
  const tree = await openTiledTree(primitives, checkpoint, async (path): Promise<Bytes | null> => {
    const answer = await fetch(`${url}/log/${path}`);
    return answer.ok ? new Uint8Array(await answer.arrayBuffer()) : null;
  });
  if (!tree.ok) throw new Error(tree.error.path);
  return { checkpoint, tree: tree.value };
}

async function kindsOf(tree: TiledTree): Promise<readonly string[]> {
  const leaves = await tree.leaves(0, tree.head.size);
  if (!leaves.ok) throw new Error(leaves.error.path);
  return leaves.value.map((bytes) => {
    const leaf = parseLeaf(bytes);
    if (!leaf.ok) throw new Error(JSON.stringify(leaf.error));
    expect(leaf.value.at).toBeGreaterThan(0);
    return leaf.value.kind;
  });
}

const checksOf = async (url: string) =>
  ((await (await fetch(`${url}/readyz`)).json()) as { checks: Record<string, boolean> }).checks;

test("[A37] an outsider reads the whole log over HTTP, across a restart, and it goes on from what it was", async () => {
  const first = await start();
  const before = await served(first.url);
  expect(before.checkpoint.origin).toMatch(/^chorus\.invalid\/[0-9a-f]{32}$/);
  expect(await kindsOf(before.tree)).toContain("role.given");
  expect(statSync(join(dataDir, "log.key")).mode & 0o777).toBe(0o600);
  expect((await checksOf(first.url))["log"]).toBe(true);
  await first.stop();

  const second = await start();
  await openApi(second.url).createTask(bundledTask("digits", 3, 1));
  await expect.poll(async () => kindsOf((await served(second.url)).tree)).toContain("task.published");
  const { checkpoint, tree } = await served(second.url);
  expect(checkpoint.origin).toBe(before.checkpoint.origin);
  const past = await tree.rootAt(before.checkpoint.size);
  expect(past.ok && equalBytes(past.value, before.checkpoint.root)).toBe(true);

  const site = { headers: { origin: "https://elsewhere.example" } };
  const shown = await fetch(`${second.url}/log/checkpoint`, site);
  expect(shown.headers.get("cache-control")).toBe("no-store");
  expect(shown.headers.get("access-control-allow-origin")).toBe("*");
  const growing = await fetch(`${second.url}/log/tile/entries/000.p/${checkpoint.size}`, site);
  expect(growing.headers.get("cache-control")).toBe("public, max-age=60");
  expect(growing.headers.get("access-control-allow-origin")).toBe("*");
  for (const bad of [
    "tile/0/999",
    "tile/0/0",
    "tile/0/000.p/0",
    "tile/%2e%2e/log.key",
    "tile/entries/..%2f..%2flog.key",
  ])
    expect([bad, (await fetch(`${second.url}/log/${bad}`)).status]).toEqual([bad, 404]);
  await second.stop();
});

test("[A36] [A37] a log with a flipped bit is not ready, and signs nothing", async () => {
  const whole = await start();
  await served(whole.url);
  await whole.stop();
  const published = readFileSync(join(dataDir, "log/checkpoint"), "utf8");
  const path = join(dataDir, `log/tile/entries/000.p/${published.split("\n")[1]}`);
  const bytes = readFileSync(path);
  writeFileSync(path, bytes.with(20, (bytes[20] ?? 0) ^ 1));
  const running = await start();
  await expect.poll(async () => (await checksOf(running.url))["log"]).toBe(false);
  expect((await fetch(`${running.url}/log/checkpoint`)).status).toBe(404);
  await running.stop();
  expect(readFileSync(join(dataDir, "log/checkpoint"), "utf8")).toBe(published);
});
