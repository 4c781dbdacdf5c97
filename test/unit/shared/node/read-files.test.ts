import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { byteCountOf, readUnpacked } from "#shared/node/read-files.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "chorus-read-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test("a gzip file is unpacked whatever its name, and others are read as they are", async () => {
  const bytes = Buffer.from([0, 0, 8, 1]);
  await writeFile(join(folder, "packed"), gzipSync(bytes));
  await writeFile(join(folder, "plain.gz"), bytes);
  for (const name of ["packed", "plain.gz"]) {
    expect([...(await readUnpacked(join(folder, name)))]).toEqual([...bytes]);
  }
});

test("a missing file has no size; another error is thrown", async () => {
  await writeFile(join(folder, "four"), "four");
  expect(await byteCountOf(join(folder, "four"))).toBe(4);
  expect(await byteCountOf(join(folder, "none"))).toBeNull();
  await expect(byteCountOf(join(folder, "four", "inside"))).rejects.toThrow("ENOTDIR");
});
