import { expect, test } from "vitest";
import { primitives } from "#shared/node/system.ts";
import { encodeLeaf } from "#shared/tlog/leaf.ts";
import { openTiledTree } from "#shared/tlog/tiled-tree.ts";
import { MemoryLog } from "#test/kit/tlog.ts";

/** A log with 40 full tiles and a growing one, and how often each of its files is read. */
async function longLog() {
  const log = new MemoryLog(primitives);
  const leaves = Array.from({ length: 40 * 256 + 5 }, (_, index) =>
    encodeLeaf("round.aborted", index, { version: 1, code: "TEST" }),
  );
  await log.addBytes(...leaves);
  const reads = new Map<string, number>();
  const read = async (path: string) => {
    reads.set(path, (reads.get(path) ?? 0) + 1);
    return log.files.get(path) ?? null;
  };
  const opened = await openTiledTree(primitives, await log.head(), read);
  if (!opened.ok) throw new Error(opened.error.path);
  return { log, tree: opened.value, reads };
}

test("[A32] a tree keeps a bounded number of tiles, and checks one again that it reads again", async () => {
  const { log, tree, reads } = await longLog();
  for (let round = 0; round < 2; round++)
    for (let tile = 0; tile < 40; tile++) expect((await tree.inclusion(tile * 256)).ok).toBe(true);
  expect(reads.get("tile/0/000")).toBe(2);
  // The one that was asked for last is at hand.
  const before = reads.get("tile/0/039");
  expect((await tree.inclusion(39 * 256 + 1)).ok).toBe(true);
  expect(reads.get("tile/0/039")).toBe(before);
  const bytes = log.files.get("tile/0/000") ?? new Uint8Array(0);
  log.files.set("tile/0/000", bytes.with(9, (bytes[9] ?? 0) ^ 1));
  expect(await tree.inclusion(0)).toMatchObject({
    ok: false,
    error: { type: "wrong-tile", path: "tile/0/000" },
  });
});

test("[A32] tiles of the growing edge, which only together make the root, are read once, whatever is read between", async () => {
  const { log, tree, reads } = await longLog();
  const edge = [...reads.keys()];
  expect(edge.some((path) => path.includes(".p/"))).toBe(true);
  for (const path of edge) {
    const bytes = log.files.get(path) ?? new Uint8Array(0);
    log.files.set(path, bytes.with(9, (bytes[9] ?? 0) ^ 1));
  }
  for (let tile = 0; tile < 40; tile++) expect((await tree.inclusion(tile * 256)).ok).toBe(true);
  expect((await tree.inclusion(40 * 256)).ok).toBe(true);
  for (const path of edge.filter((name) => name.includes(".p/"))) expect(reads.get(path)).toBe(1);
});

test("[A32] a file that could not be read is read again", async () => {
  const { log, tree } = await longLog();
  const bytes = log.files.get("tile/0/007") ?? new Uint8Array(0);
  log.files.delete("tile/0/007");
  expect((await tree.inclusion(7 * 256)).ok).toBe(false);
  log.files.set("tile/0/007", bytes);
  expect((await tree.inclusion(7 * 256)).ok).toBe(true);
});
