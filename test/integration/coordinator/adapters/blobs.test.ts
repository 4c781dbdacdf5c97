import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, open, readdir, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { openBlobs } from "#coordinator/adapters/blobs.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "chorus-blobs-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const hashOf = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
const pathOf = (hash: string) => join(folder, hash.slice(0, 2), hash);

async function read(stream: ReadableStream<Uint8Array> | null): Promise<Buffer> {
  if (stream === null) throw new Error("no stream");
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

test.each([0, 1, 262_144, 1_000_001])(
  "%i bytes come back under their SHA-256, also as a stream",
  async (byteCount) => {
    const blobs = await openBlobs(folder);
    const bytes = new Uint8Array(randomBytes(byteCount));
    const hash = await blobs.put(bytes);
    expect(hash).toBe(hashOf(bytes));
    expect(await blobs.put(bytes)).toBe(hash);
    expect(await blobs.byteCount(hash)).toBe(byteCount);
    expect(Buffer.compare((await blobs.get(hash)) ?? Buffer.of(), bytes)).toBe(0);
    expect(Buffer.compare(await read(await blobs.stream(hash)), bytes)).toBe(0);
  },
);

test("a missing blob is null, and so is a name that is not a hash", async () => {
  const blobs = await openBlobs(folder);
  for (const name of ["0".repeat(64), "", "../../etc/passwd", "A".repeat(64), `${"0".repeat(63)}/`]) {
    expect(await blobs.get(name)).toBeNull();
    expect(await blobs.byteCount(name)).toBeNull();
    expect(await blobs.stream(name)).toBeNull();
  }
});

test("a flipped bit and a torn file are noticed on every read, and repaired by writing again", async () => {
  const blobs = await openBlobs(folder);
  const bytes = new Uint8Array(randomBytes(600_000));
  const hash = await blobs.put(bytes);
  const flipped = bytes.slice();
  flipped[599_999] = (flipped[599_999] as number) ^ 4;
  await writeFile(pathOf(hash), flipped);
  await expect(blobs.get(hash)).rejects.toThrow(/damaged/);
  await expect(read(await blobs.stream(hash))).rejects.toThrow(/damaged/);
  await truncate(pathOf(hash), 1_000);
  await expect(blobs.get(hash)).rejects.toThrow(/damaged/);
  await expect(read(await blobs.stream(hash))).rejects.toThrow(/damaged/);
  await blobs.put(bytes);
  expect((await blobs.get(hash))?.length).toBe(600_000);
});

test("the remains of a killed write are removed at the next start", async () => {
  const blobs = await openBlobs(folder);
  const hash = await blobs.put(Uint8Array.of(1, 2, 3));
  await writeFile(`${pathOf(hash)}.4711-1.partial`, "half");
  const reopened = await openBlobs(folder);
  const names = await readdir(folder, { recursive: true });
  expect(names.filter((name) => name.endsWith(".partial"))).toEqual([]);
  expect(await reopened.get(hash)).not.toBeNull();
});

test("a stream that nobody reads to its end can be cancelled", async () => {
  const blobs = await openBlobs(folder);
  const hash = await blobs.put(new Uint8Array(randomBytes(2_000_000)));
  const reader = (await blobs.stream(hash))?.getReader();
  expect((await reader?.read())?.value?.length).toBeGreaterThan(0);
  await reader?.cancel();
  expect((await blobs.get(hash))?.length).toBe(2_000_000);
});

test("a file whose size cannot be read is closed again", async () => {
  const blobs = await openBlobs(folder);
  const hash = await blobs.put(new Uint8Array(randomBytes(10)));
  const handle = await open(pathOf(hash));
  const prototype = Object.getPrototypeOf(handle) as typeof handle;
  await handle.close();
  const stat = vi.spyOn(prototype, "stat").mockRejectedValueOnce(new Error("planted: a failing disk"));
  try {
    await expect(blobs.stream(hash)).rejects.toThrow("planted");
    // Every closed handle has this value.
    const contexts = stat.mock.contexts as (typeof handle)[];
    expect(contexts.map(({ fd }) => fd)).toEqual([-1]);
  } finally {
    stat.mockRestore();
  }
});
