import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { merkleLeafHash, verifyConsistency, verifyInclusion } from "#shared/crypto/merkle.ts";
import { javascriptPrimitives } from "#shared/crypto/primitives-javascript.ts";
import { type Bytes, u32be } from "#shared/kernel/bytes.ts";
import { parseCheckpoint } from "#shared/tlog/checkpoint.ts";
import { EMPTY_EDGE, grow } from "#shared/tlog/grow.ts";
import { parseLeaf } from "#shared/tlog/leaf.ts";
import { parseNote } from "#shared/tlog/note.ts";
import { formatReceipt, parseReceipt } from "#shared/tlog/receipt.ts";
import { openTiledTree, type TileError } from "#shared/tlog/tiled-tree.ts";
import { newTiles, parseTilePath, tilePath } from "#shared/tlog/tiles.ts";
import { consistencyPath, inclusionPath, treeRoot } from "#shared/tlog/tree.ts";

const primitives = javascriptPrimitives();
const leafOf = (index: number): Bytes => u32be(index);

/** RFC 6962 section 2.1 literally, over leaves `begin` to `end`. */
function oracleRoot(begin: number, end: number): Bytes {
  const hash = (...parts: Uint8Array[]) =>
    new Uint8Array(createHash("sha256").update(Buffer.concat(parts)).digest());
  if (begin === end) return hash();
  if (end - begin === 1) return hash(Uint8Array.of(0), leafOf(begin));
  let k = 1;
  while (2 * k < end - begin) k *= 2;
  return hash(Uint8Array.of(1), oracleRoot(begin, begin + k), oracleRoot(begin + k, end));
}

/** Grows a log by batches, and keeps every file that it ever had. */
async function grown(batches: readonly number[]) {
  const files = new Map<string, Bytes>();
  let edge = EMPTY_EDGE;
  for (const count of batches) {
    const { size } = edge;
    const growth = await grow(
      primitives,
      edge,
      Array.from({ length: count }, (_, index) => leafOf(size + index)),
    );
    expect(growth.files.map(({ path }) => path).sort()).toEqual(
      newTiles(size, size + count)
        .map(tilePath)
        .sort(),
    );
    for (const { path, bytes } of growth.files) files.set(path, bytes);
    edge = growth.edge;
    expect(growth.head).toEqual({ size: size + count, root: oracleRoot(0, size + count) });
  }
  return { files, edge };
}

const batches = fc.array(fc.integer({ min: 0, max: 700 }), { minLength: 1, maxLength: 4 });

describe("[A32] a log of tiles", () => {
  test("has the root of RFC 6962 after each batch, and proves leaves and earlier trees from its files", async () => {
    await fc.assert(
      fc.asyncProperty(batches, fc.nat(), fc.nat(), async (counts, one, other) => {
        const { files, edge } = await grown(counts);
        const { size } = edge;
        const head = { size, root: oracleRoot(0, size) };
        const opened = await openTiledTree(primitives, head, async (path) => files.get(path) ?? null);
        if (!opened.ok) throw new Error(opened.error.path);
        const tree = opened.value;
        expect(await tree.edge()).toEqual({ ok: true, value: edge });
        const earlier = other % (size + 1);
        expect(await tree.rootAt(earlier)).toEqual({ ok: true, value: oracleRoot(0, earlier) });
        const consistency = await tree.consistency(earlier);
        if (!consistency.ok) throw new Error(consistency.error.path);
        const claim = {
          earlierSize: earlier,
          earlierRoot: oracleRoot(0, earlier),
          ...head,
          path: consistency.value,
        };
        expect(await verifyConsistency(primitives, claim)).toBe(true);
        if (size === 0) return;
        const index = one % size;
        const [leaf, path] = [await tree.leaves(index, index + 1), await tree.inclusion(index)];
        if (!path.ok) throw new Error(path.error.path);
        expect(leaf).toEqual({ ok: true, value: [leafOf(index)] });
        const leafHash = await merkleLeafHash(primitives, leafOf(index));
        expect(await verifyInclusion(primitives, { leafHash, index, ...head, path: path.value })).toBe(true);
      }),
      { numRuns: 30 },
    );
  });

  test("is never read past a tile that is torn, changed or gone", async () => {
    const { files, edge } = await grown([600]);
    const head = { size: edge.size, root: oracleRoot(0, edge.size) };
    const names = [...files.keys()];
    expect(names).toHaveLength(7);
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...names), fc.nat(), fc.nat(3), async (bad, at, how) => {
        const read = async (path: string): Promise<Bytes | null> => {
          const bytes = files.get(path) ?? null;
          if (path !== bad || bytes === null) return bytes;
          if (how === 0) return null;
          if (how === 1) return bytes.slice(0, at % bytes.length);
          if (how === 2) return new Uint8Array([...bytes, 0]);
          return bytes.map((byte, index) => (index === at % bytes.length ? byte ^ 1 : byte));
        };
        const opened = await openTiledTree(primitives, head, read);
        const trouble: TileError[] = [];
        if (!opened.ok) trouble.push(opened.error);
        else {
          const all = await opened.value.leaves(0, edge.size);
          if (!all.ok) trouble.push(all.error);
        }
        // The growing tiles answer for each other.
        expect(trouble).toHaveLength(1);
        expect(trouble[0]?.type === "no-tile" ? how : "wrong").toBe(how === 0 ? 0 : "wrong");
      }),
      { numRuns: 60 },
    );
  });

  test("is read from a full tile if the growing one was removed", async () => {
    const { files } = await grown([100, 500]);
    for (const path of [...files.keys()]) if (path.includes(".p/100")) files.delete(path);
    const head = { size: 100, root: oracleRoot(0, 100) };
    const opened = await openTiledTree(primitives, head, async (path) => files.get(path) ?? null);
    expect(opened.ok && (await opened.value.leaves(98, 100))).toEqual({
      ok: true,
      value: [leafOf(98), leafOf(99)],
    });
  });
});

describe("[A32] trees of up to 2^53 leaves", () => {
  /** A tree in which every leaf is the same, so that its hashes are known without its leaves. */
  const same: Promise<Bytes>[] = [merkleLeafHash(primitives, new Uint8Array(0))];
  for (let level = 1; level <= 53; level++)
    same.push(
      (async () => {
        const half = (await same[level - 1]) as Bytes;
        const bytes = new Uint8Array([1, ...half, ...half]);
        return primitives.sha256(bytes);
      })(),
    );
  const node = (level: number) => same[level] as Promise<Bytes>;
  const size = fc.maxSafeNat();

  test("are proved, and nothing else is", async () => {
    await fc.assert(
      fc.asyncProperty(size, size, fc.nat(), async (one, other, flip) => {
        const [earlier, later] = [Math.min(one, other) + 1, Math.max(one, other) + 1].map((value) =>
          Math.min(value, Number.MAX_SAFE_INTEGER),
        ) as [number, number];
        const [earlierRoot, root] = [
          await treeRoot(primitives, node, earlier),
          await treeRoot(primitives, node, later),
        ];
        const path = await consistencyPath(primitives, node, earlier, later);
        const claim = { earlierSize: earlier, earlierRoot, size: later, root, path };
        expect(await verifyConsistency(primitives, claim)).toBe(true);
        const index = earlier - 1;
        const inclusion = {
          leafHash: await node(0),
          index,
          size: later,
          path: await inclusionPath(primitives, node, index, later),
          root,
        };
        expect(await verifyInclusion(primitives, inclusion)).toBe(true);
        const flipped = (hashes: readonly Bytes[]) =>
          hashes.map((hash, at) => (at === flip % hashes.length ? hash.map((byte) => byte ^ 1) : hash));
        if (path.length > 0)
          expect(await verifyConsistency(primitives, { ...claim, path: flipped(path) })).toBe(false);
        if (inclusion.path.length > 0)
          expect(await verifyInclusion(primitives, { ...inclusion, path: flipped(inclusion.path) })).toBe(
            false,
          );
        expect(await verifyConsistency(primitives, { ...claim, path: [...path, root] })).toBe(false);
      }),
      { numRuns: 100 },
    );
  });

  test("all pairs of small sizes are consistent, and only with their own roots", async () => {
    for (let later = 0; later <= 18; later++)
      for (let earlier = 0; earlier <= later; earlier++) {
        const row = (level: number, index: number) =>
          Promise.resolve(oracleRoot(index * 2 ** level, (index + 1) * 2 ** level));
        const path = await consistencyPath(primitives, row, earlier, later);
        const claim = {
          earlierSize: earlier,
          earlierRoot: oracleRoot(0, earlier),
          size: later,
          root: oracleRoot(0, later),
          path,
        };
        expect(await verifyConsistency(primitives, claim)).toBe(true);
        if (earlier === 0) continue;
        expect(
          await verifyConsistency(primitives, { ...claim, earlierRoot: oracleRoot(1, earlier + 1) }),
        ).toBe(false);
        expect(await verifyConsistency(primitives, { ...claim, root: oracleRoot(1, later + 1) })).toBe(false);
      }
  });
});

describe("[A32] names and texts of anyone", () => {
  test("a tile has one path, and a path names one tile", () => {
    const name = fc.record({
      level: fc.constantFrom("entries" as const, 0, 1, 6),
      index: fc.maxSafeNat(),
      width: fc.integer({ min: 1, max: 256 }),
    });
    fc.assert(
      fc.property(name, (tile) => {
        expect(parseTilePath(tilePath(tile))).toEqual(tile);
      }),
    );
    for (const bad of [
      "tile/0/1",
      "tile/0/0001",
      "tile/0/x000/001",
      "tile/00/001",
      "tile/7/001",
      "tile/0/001.p/0",
      "tile/0/001.p/256",
      "tile/0/001.p/01",
      "tile/0/../001",
      "tile/entries/001/",
      "/tile/0/001",
      "tile/0/x999/x999/x999/x999/x999/999",
      "",
    ])
      expect([bad, parseTilePath(bad)]).toEqual([bad, undefined]);
  });

  test("parsers give a value or an error, and never throw", () => {
    const hostile = fc.oneof(
      fc.string({ unit: "binary", maxLength: 300 }),
      fc.string({
        unit: fc.constantFrom("\n", "—", " ", "a", "=", "+", "0", "{", '"', "\u0000"),
        maxLength: 300,
      }),
    );
    fc.assert(
      fc.property(hostile, (text) => {
        for (const parse of [parseNote, parseCheckpoint, parseReceipt])
          expect(typeof parse(text).ok).toBe("boolean");
        expect(parseTilePath(text)).toBeUndefined();
      }),
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(typeof parseLeaf(new Uint8Array(bytes)).ok).toBe("boolean");
      }),
    );
  });

  test("a receipt is read as it was written", () => {
    const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => new Uint8Array(bytes));
    const receipt = fc.record({
      extra: fc.option(fc.uint8Array({ maxLength: 90 }).map((bytes) => new Uint8Array(bytes))),
      index: fc.maxSafeNat(),
      path: fc.array(bytes32, { maxLength: 63 }),
      checkpoint: fc.constant("log.example\n1\nAAAA\n\n— log.example AAAAAAA=\n"),
    });
    fc.assert(
      fc.property(receipt, (value) => {
        expect(parseReceipt(formatReceipt(value))).toEqual({ ok: true, value });
      }),
    );
  });
});
