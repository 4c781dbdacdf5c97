import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deflateRawSync, gzipSync, crc32 as zlibCrc32 } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readAhead, sourceOf } from "#shared/archive/byte-source.ts";
import { crc32 } from "#shared/archive/crc32.ts";
import { gunzip, inflate } from "#shared/archive/inflate.ts";
import { openZip } from "#shared/archive/zip.ts";
import { makeZip, type ZipItem, type ZipPlan } from "#test/kit/files/zip.ts";

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString("latin1");

/** Contents by path; a fault in place of what could not be read. */
async function contentsOf(
  archive: Uint8Array,
  byteCountMax = 1_000_000,
): Promise<Record<string, string> | string> {
  const files = await openZip(sourceOf(archive));
  if (!files.ok) return files.error;
  const contents: Record<string, string> = {};
  for (const file of files.value) {
    const read = await file.read(byteCountMax);
    contents[file.path] = read.ok ? text(read.value) : `! ${read.error}`;
  }
  return contents;
}
const zipOf = (items: readonly ZipItem[], plan?: ZipPlan) => contentsOf(makeZip(items, plan));

describe("[D43] a zip archive", () => {
  test("gives its files, stored or deflated, without its folders", async () => {
    const items = [
      { path: "0/", data: "" },
      { path: "0/a.txt", data: "first", method: 0 },
      { path: "1/b.txt", data: "second".repeat(10_000) },
      { path: "empty", data: "" },
      { path: "./c\\d.txt", data: "third" },
      { path: "größe/ü.txt", data: "fourth" },
    ];
    const expected = {
      "0/a.txt": "first",
      "1/b.txt": "second".repeat(10_000),
      empty: "",
      "c/d.txt": "third",
      "größe/ü.txt": "fourth",
    };
    expect(await zipOf(items)).toEqual(expected);
    expect(await zipOf(items, { isLong: true })).toEqual(expected);
    expect(await zipOf(items, { comment: "a comment with PK\x05\x06 in it" })).toEqual(expected);
    expect(await zipOf([])).toEqual({});
  });

  test("of the system's zip is read, streamed to a pipe too", async () => {
    const folder = mkdtempSync(join(tmpdir(), "chorus-zip-"));
    try {
      writeFileSync(join(folder, "a.txt"), "alpha".repeat(1_000));
      writeFileSync(
        join(folder, "b.bin"),
        Uint8Array.from({ length: 5_000 }, (_, at) => (at * at) & 255),
      );
      const python =
        "import sys, zipfile\nwith zipfile.ZipFile(sys.stdout.buffer if sys.argv[1] == '-' else sys.argv[1], 'w', zipfile.ZIP_DEFLATED) as z:\n  z.write('a.txt')\n  z.write('b.bin')";
      const piped = execFileSync("python3", ["-c", python, "-"], { cwd: folder });
      execFileSync("python3", ["-c", python, "x.zip"], { cwd: folder });
      const expected = {
        "a.txt": "alpha".repeat(1_000),
        "b.bin": readFileSync(join(folder, "b.bin"), "latin1"),
      };
      expect(await contentsOf(readFileSync(join(folder, "x.zip")))).toEqual(expected);
      expect(await contentsOf(piped)).toEqual(expected);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  const one = { path: "a.txt", data: "hello ".repeat(100) };
  test.each<readonly [string, ZipItem, ZipPlan, RegExp]>([
    ["encrypted", { ...one, flags: 1 }, {}, /^is encrypted; unpack it with its password/],
    ["a part of several", one, { disk: 1 }, /one part of a zip archive in several/],
    ["with a path that leads out", { ...one, path: "a/../../b" }, {}, /paths lead out of it/],
    ["with a Windows path that leads out", { ...one, path: "..\\b" }, {}, /paths lead out of it/],
    ["of more than it can hold", { ...one, says: { byteCount: 4_000_000_000 } }, {}, /made to fill memory/],
    [
      "with more packed bytes than it is long",
      { ...one, says: { packedBytes: 9_000 } },
      {},
      /made to fill memory/,
    ],
    ["with more entries than are there", one, { saysEntries: 2 }, /damaged zip archive/],
    [
      "with too many entries",
      one,
      { saysEntries: 300_000, isLong: true },
      /300000 files, more than 250000; split it/,
    ],
  ])("%s is refused as a whole", async (_, item, plan, fault) => {
    expect(await zipOf([item], plan)).toMatch(fault);
  });

  test("whose files share their bytes, which unpacks to far more than it is long, is refused", async () => {
    const big = { path: "0", data: new Uint8Array(100_000) };
    const packedBytes = deflateRawSync(big.data).length;
    const shared = Array.from({ length: 500 }, (_, at) => ({
      path: `${at + 1}`,
      data: "",
      method: 0,
      says: { start: 0, packedBytes, byteCount: 100_000, crc: crc32(big.data) },
    }));
    expect(await zipOf([big, ...shared])).toMatch(/made to fill memory/);
    // Control: one file alone is fine.
    expect(await zipOf([{ path: "0", data: "0".repeat(100_000) }])).toEqual({ 0: "0".repeat(100_000) });
  });

  test.each<readonly [string, Partial<ZipItem>, RegExp]>([
    [
      "packed in another way",
      { method: 12 },
      /packed with bzip2, which is not read here; unpack the archive/,
    ],
    ["packed in an unknown way", { method: 77 }, /packed with method 77/],
    [
      "that unpacks to more than is said",
      { says: { byteCount: 10 } },
      /unpacks to more than the archive says/,
    ],
    ["that unpacks to less than is said", { says: { byteCount: 601 } }, /damaged in the archive/],
    ["with another checksum", { says: { crc: 1 } }, /damaged in the archive/],
    ["whose place is wrong", { says: { start: 5 } }, /damaged in the archive/],
  ])("with a file %s names it and gives the others", async (_, change, fault) => {
    const contents = await zipOf([
      { ...one, ...change },
      { path: "b", data: "fine" },
    ]);
    expect(contents).toMatchObject({ b: "fine" });
    expect((contents as Record<string, string>)["a.txt"]).toMatch(/^! /);
    expect((contents as Record<string, string>)["a.txt"]).toMatch(fault);
  });

  test("does not unpack a file that is larger than its reader takes", async () => {
    expect(await contentsOf(makeZip([one]), 500)).toEqual({ "a.txt": "! is larger than 0.0005 MB" });
  });

  test("that is cut anywhere is refused or gives what is whole, and so is one with a damaged byte", async () => {
    const whole = makeZip([one, { path: "b", data: "fine", method: 0 }]);
    for (let length = 0; length < whole.length; length++) {
      expect(typeof (await contentsOf(whole.subarray(0, length)))).toBe("string");
    }
    const originals = (await contentsOf(whole)) as Record<string, string>;
    await fc.assert(
      fc.asyncProperty(fc.nat(whole.length - 1), fc.integer({ min: 1, max: 255 }), async (at, change) => {
        const bytes = Uint8Array.from(whole);
        bytes[at] = (bytes[at] as number) ^ change;
        const contents = await contentsOf(bytes);
        if (typeof contents === "string") return;
        // The checksum finds every change of content.
        for (const content of Object.values(contents)) {
          expect(content.startsWith("! ") || Object.values(originals).includes(content)).toBe(true);
        }
      }),
      { numRuns: 300 },
    );
  });
});

test("[D43] a bomb of deflate or gzip is not unpacked beyond what was said", () => {
  const bomb = deflateRawSync(new Uint8Array(80_000_000), { level: 9 });
  const before = process.memoryUsage().arrayBuffers;
  expect(inflate(bomb, 1_000)).toEqual({ ok: false, error: "too-large" });
  expect(gunzip(gzipSync(new Uint8Array(80_000_000)), 1_000_000)).toEqual({ ok: false, error: "too-large" });
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(150_000_000);
});

test("gzip files are unpacked, several end to end too, and damage is found", () => {
  const bytes = Uint8Array.from({ length: 300_000 }, (_, at) => (at * at * 7) & 255);
  const packed = gzipSync(bytes);
  expect(gunzip(packed, 400_000)).toEqual({ ok: true, value: bytes });
  const twice = gunzip(Buffer.concat([gzipSync("one"), gzipSync("two")]), 100);
  expect(twice.ok && text(twice.value)).toBe("onetwo");
  expect(gunzip(packed, 299_999)).toEqual({ ok: false, error: "too-large" });
  for (const length of [0, 10, 100, packed.length - 9, packed.length - 1]) {
    expect(gunzip(packed.subarray(0, length), 400_000)).toEqual({ ok: false, error: "damaged" });
  }
  const damaged = Uint8Array.from(packed);
  damaged[packed.length - 6] = (damaged[packed.length - 6] ?? 0) ^ 1;
  expect(gunzip(damaged, 400_000)).toEqual({ ok: false, error: "damaged" });
});

test("the checksum is zlib's", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), fc.uint8Array({ maxLength: 100 }), (first, second) => {
      expect(crc32(first)).toBe(zlibCrc32(first));
      expect(crc32(second, crc32(first))).toBe(zlibCrc32(Buffer.concat([first, second])));
    }),
  );
});

test("reading ahead gives the same bytes in any order, with few reads", async () => {
  const bytes = Uint8Array.from({ length: 10_000 }, (_, at) => at & 255);
  let readCount = 0;
  const source = readAhead({
    byteCount: bytes.length,
    read: async (from, to) => {
      readCount++;
      return bytes.subarray(from, to);
    },
  });
  for (let at = 0; at < 9_900; at += 100)
    expect(await source.read(at, at + 100)).toEqual(bytes.subarray(at, at + 100));
  expect(readCount).toBe(1);
  expect(await source.read(0, 10)).toEqual(bytes.subarray(0, 10));
});
