import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openDisk } from "#coordinator/adapters/disk.ts";
import { ManualClock } from "#test/kit/fakes/manual-clock.ts";

let folder: string;
const clock = new ManualClock();

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "chorus-disk-"));
  await mkdir(join(folder, "blobs", "ab"), { recursive: true });
});
afterEach(() => rm(folder, { recursive: true }));

const open = (quotaByteCount: number | null) =>
  openDisk({ folder, counted: [join(folder, "blobs"), join(folder, "spool")], quotaByteCount }, clock);

test("[O7] files of nested folders count, others do not, and a folder that is missing is empty", async () => {
  await writeFile(join(folder, "blobs", "ab", "model"), new Uint8Array(700));
  await writeFile(join(folder, "elsewhere"), new Uint8Array(5_000));
  const { usedByteCount, freeByteCount } = await open(1_000).facts();
  expect(usedByteCount).toBe(700);
  expect(freeByteCount).toBeGreaterThan(0);
});

test("[O7] a round's folder that is removed during the count hides no other file", async () => {
  await mkdir(join(folder, "spool", "kept"), { recursive: true });
  await writeFile(join(folder, "spool", "kept", "1"), new Uint8Array(1_000));
  const disk = open(1_000);
  const rounds = Array.from({ length: 20 }, (_, index) => join(folder, "spool", `${index}`));
  let isDone = false;
  const rushing = (async () => {
    while (!isDone) {
      for (const round of rounds) await mkdir(join(round, "parts"), { recursive: true });
      for (const round of rounds) await rm(round, { recursive: true });
    }
  })();
  const counts = new Set<number>();
  for (let count = 0; count < 200; count++) {
    clock.advance(10_000);
    counts.add((await disk.facts()).usedByteCount);
  }
  isDone = true;
  await rushing;
  expect(counts).toEqual(new Set([1_000]));
});

test("[O7] at the quota there is no room, and there is room again when files are gone", async () => {
  const disk = open(1_000);
  expect(await disk.hasRoom()).toBe(true);
  await writeFile(join(folder, "blobs", "ab", "model"), new Uint8Array(1_000));
  clock.advance(10_000);
  expect(await disk.hasRoom()).toBe(false);
  await rm(join(folder, "blobs", "ab", "model"));
  clock.advance(10_000);
  expect(await disk.hasRoom()).toBe(true);
});

test("[O7] without a quota any number of bytes fits", async () => {
  await writeFile(join(folder, "blobs", "ab", "model"), new Uint8Array(10_000));
  expect(await open(null).hasRoom()).toBe(true);
});

test("a disk that does not answer has no room", async () => {
  const disk = openDisk({ folder: join(folder, "nowhere"), counted: [], quotaByteCount: null }, clock);
  expect(await disk.hasRoom()).toBe(false);
});
