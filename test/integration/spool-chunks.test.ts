import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { chunkReader } from "#coordinator/adapters/spool-chunks.ts";
import { selectPrimitives } from "#shared/crypto/primitives-webcrypto.ts";
import type { Primitives } from "#shared/kernel/ports.ts";

const folder = mkdtempSync(join(tmpdir(), "chorus-chunks-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const CHUNKS = 3;
const NODES = 2 * CHUNKS - 1;
const real = await selectPrimitives(globalThis.crypto.subtle);

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
  const chunks = await Promise.all(Array.from({ length: 12 }, (_, at) => reader.read(path, at % CHUNKS)));
  expect(chunks.every((chunk) => chunk?.bytes.length === 65_536 && chunk.path.length > 0)).toBe(true);
  expect(hashes()).toBe(NODES);
  expect(await reader.read(path, CHUNKS)).toBeNull();
  expect(await reader.read(join(folder, "none"), 0)).toBeNull();
});

test("[A4] trees take so many bytes at most, the oldest go first", async () => {
  const { primitives, hashes } = counting();
  // Room for two trees of three chunks.
  const reader = chunkReader(primitives, 2 * 2 * CHUNKS * 200);
  const paths = ["a", "b", "c"].map(input);
  for (const path of paths) await reader.read(path, 0);
  expect(hashes()).toBe(3 * NODES);
  await reader.read(paths[2] ?? "", 1);
  await reader.read(paths[1] ?? "", 1);
  expect(hashes()).toBe(3 * NODES);
  await reader.read(paths[0] ?? "", 1);
  expect(hashes()).toBe(4 * NODES);
});
