import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { readDataset } from "#client/adapters/file-dataset.ts";
import { importSet } from "#client/adapters/import-set.ts";
import { platformDecoder } from "#client/adapters/platform-ports.ts";
import { bundledTask } from "#coordinator/data/tasks.ts";
import type { Imported, ImportRefusal } from "#shared/data/report.ts";
import type { Result } from "#shared/kernel/result.ts";
import { nodePictureCodecs } from "#shared/node/picture-wasm.ts";
import { makePng } from "#test/kit/files/png.ts";
import { makeZip, type ZipItem } from "#test/kit/files/zip.ts";

/*
 * Files that were made to fill memory or that lie about their size, as a page and as an edge meet them: the same typed
 * refusal, or the same rows without the file that lies. `held-out-files.test.ts` has the coordinator's.
 */

const { features } = bundledTask("digits", 8, 1);
const reading = { codecs: nodePictureCodecs(), openDecoder: platformDecoder };
const folder = mkdtempSync(join(tmpdir(), "chorus-hostile-"));
afterAll(() => rmSync(folder, { recursive: true }));

const PICTURE = { width: 8, height: 8, depth: 8, colourType: 0, values: [] } as const;
const png = makePng({ ...PICTURE, values: Array.from({ length: 64 }, (_, at) => at) });
const liar = makePng({ ...PICTURE, width: 60_000, height: 60_000, packed: Buffer.alloc(20) });
const good: ZipItem = { path: "0/good.png", data: png };

/** Both readings of the same bytes. */
async function readBoth(
  name: string,
  bytes: Uint8Array,
): Promise<readonly Result<Imported, ImportRefusal>[]> {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  // Browsers give every file this; it is empty unless a folder was chosen.
  const file = Object.assign(new File([new Uint8Array(bytes)], name), { webkitRelativePath: "" });
  return [await importSet([file], features, reading), await readDataset(path, features)];
}

test.each<readonly [string, readonly ZipItem[], RegExp]>([
  [
    "says that it holds more than it can",
    [{ ...good, says: { byteCount: 4_000_000_000 } }],
    /was made to fill memory, so it is not unpacked/,
  ],
  [
    "has files whose paths lead out of it",
    [good, { path: "../../etc/0/x.png", data: png }],
    /paths lead out of it/,
  ],
])("[D43] an archive that %s is refused as a whole", async (_, items, words) => {
  for (const read of await readBoth("set.zip", makeZip(items)))
    expect(read).toMatchObject({
      ok: false,
      error: { type: "unreadable", sentence: expect.stringMatching(words) },
    });
});

test.each<readonly [string, Uint8Array, Partial<ZipItem>, RegExp]>([
  ["[D42] a picture that says it has more pixels than any task needs", liar, {}, /pixels/],
  [
    "[D43] a file that unpacks to more than the archive says",
    Buffer.alloc(4_000_000),
    { says: { byteCount: 1_000 } },
    /unpacks to more than the archive says, so it is not unpacked/,
  ],
])("%s is left out by name, and the one beside it is read", async (_, data, more, words) => {
  for (const read of await readBoth("set.zip", makeZip([good, { path: "1/bad.png", data, ...more }]))) {
    if (!read.ok) throw new Error(read.error.sentence);
    expect([read.value.dataset.count, read.value.report.rowsLeftOut]).toEqual([1, 1]);
    expect(read.value.report.problems[0]?.sentence).toMatch(/^“1\/bad\.png” /);
    expect(read.value.report.problems[0]?.sentence).toMatch(words);
  }
});
