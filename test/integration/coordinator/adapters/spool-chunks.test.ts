import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { chunkReader } from "#coordinator/adapters/spool-chunks.ts";
import { merkleRoot } from "#shared/crypto/merkle.ts";
import { selectPrimitives } from "#shared/crypto/primitives-webcrypto.ts";
import { bytesToHex } from "#shared/kernel/bytes.ts";
import type { Primitives } from "#shared/kernel/ports.ts";

const folder = mkdtempSync(join(tmpdir(), "chorus-chunks-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const CHUNKS = 3;
const NODES = 2 * CHUNKS - 1;
const real = await selectPrimitives(globalThis.crypto.subtle);

const CHUNK = new Uint8Array(65_536).fill(7);
const ROOT = bytesToHex(await merkleRoot(real, Array(CHUNKS).fill(CHUNK)));

function input(name: string): string {
  const path = join(folder, name);
  writeFileSync(path, new Uint8Array(CHUNKS * 65_536).fill(7));
  return path;
}

function counting(): { readonly primitives: Primitives; readonly hashes: () => number } {
  let count = 0;
  const sha256: Primitives["sha256"] = (bytes) => {
    count++;
    return real.sha256(bytes);
  };
  return { primitives: { ...real, sha256 }, hashes: () => count };
}

test("[A4] an input that many ask for at once is hashed once", async () => {
  const { primitives, hashes } = counting();
  const reader = chunkReader(primitives);
  const path = input("one");
  const chunks = await Promise.all(
    Array.from({ length: 12 }, (_, at) => reader.read(path, at % CHUNKS, ROOT)),
  );
  const isWhole = (chunk: (typeof chunks)[number]) =>
    chunk.ok && chunk.value.bytes.length === 65_536 && chunk.value.path.length > 0;
  expect(chunks.every(isWhole)).toBe(true);
  // Each served chunk is hashed once more.
  expect(hashes()).toBe(NODES + 12);
  expect(await reader.read(path, CHUNKS, ROOT)).toMatchObject({ error: { type: "not-found" } });
  expect(await reader.read(join(folder, "none"), 0, ROOT)).toMatchObject({ error: { type: "not-found" } });
});

test("[A4] trees have a memory limit, and the oldest go first", async () => {
  const { primitives, hashes } = counting();
  // Room for two trees of three chunks.
  const reader = chunkReader(primitives, 2 * 2 * CHUNKS * 200);
  const paths = ["a", "b", "c"].map(input);
  for (const path of paths) await reader.read(path, 0, ROOT);
  expect(hashes()).toBe(3 * NODES + 3);
  await reader.read(paths[2] ?? "", 1, ROOT);
  await reader.read(paths[1] ?? "", 1, ROOT);
  expect(hashes()).toBe(3 * NODES + 5);
  await reader.read(paths[0] ?? "", 1, ROOT);
  expect(hashes()).toBe(4 * NODES + 6);
});

test.each([
  ["before it was first read", true],
  ["after its tree was remembered", false],
])("[R50] an input that the disk damaged %s is not given away as good", async (_, isEarly) => {
  const reader = chunkReader(real);
  const path = input(`damaged ${isEarly}`);
  if (!isEarly) expect((await reader.read(path, 1, ROOT)).ok).toBe(true);
  const damaged = new Uint8Array(CHUNKS * 65_536).fill(7);
  damaged[65_536 + 99] = 8;
  writeFileSync(path, damaged);
  expect(await reader.read(path, 1, ROOT)).toEqual({ ok: false, error: { type: "damaged" } });
  // The other chunks are still proved by the earlier tree.
  expect((await reader.read(path, 0, ROOT)).ok).toBe(!isEarly);
  writeFileSync(path, damaged.subarray(0, 65_536));
  expect((await reader.read(path, 1, ROOT)).ok).toBe(false);
});
