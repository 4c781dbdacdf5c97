import { beforeAll, expect, test } from "vitest";
import { type Look, lookAtLog, type SeenLog, type ShownLog, seenOf } from "#shared/audit/look.ts";
import { READ_BLOCK, readEntries } from "#shared/audit/read-entries.ts";
import { selectPrimitives } from "#shared/crypto/primitives-webcrypto.ts";
import { localSigner } from "#shared/crypto/signature.ts";
import { assert, present } from "#shared/kernel/assert.ts";
import { utf8 } from "#shared/kernel/bytes.ts";
import type { Primitives } from "#shared/kernel/ports.ts";
import { ok } from "#shared/kernel/result.ts";
import { rotationBody } from "#shared/tlog/key-rotation.ts";
import { encodeLeaf } from "#shared/tlog/leaf.ts";
import { MemoryLog } from "#test/kit/tlog.ts";

let primitives: Primitives;
let log: MemoryLog;
let seen: SeenLog;

const AT = "2026-11-29T14:05:03.000Z";
const RUN = "0".repeat(32);

const leaf = (kind: string) => encodeLeaf(kind, 1, { version: 1, runId: RUN });

async function shown(of: MemoryLog, rotations: readonly number[] = []): Promise<ShownLog> {
  return { origin: of.origin, key: of.publicKey, note: await of.checkpoint(), witnesses: [], rotations };
}

async function look(of: MemoryLog, before: SeenLog | null, change: Partial<ShownLog> = {}): Promise<Look> {
  const read = async (path: string) => of.files.get(path) ?? null;
  return lookAtLog(primitives, { ...(await shown(of)), ...change }, read, before);
}

beforeAll(async () => {
  primitives = await selectPrimitives(globalThis.crypto.subtle);
  log = new MemoryLog(primitives);
  await log.addBytes(...Array.from({ length: 300 }, () => leaf("run.pauseAsked")));
  const first = await look(log, null);
  seen = seenOf(await shown(log), present(first.log, "a log"), AT);
});

test("[A63] a log that only grew is not contradicted, and remembers what was seen", async () => {
  const grown = log.fork();
  await grown.add("run.resumeAsked", { runId: RUN });
  const { sight } = await look(grown, seen);
  expect(sight).toEqual({ size: 301, witnesses: [], witnessCount: 0, seenSize: 300, contradiction: null });
});

test("[A63] a rollback and a split are told apart, each with what was seen and when", async () => {
  const short = new MemoryLog(primitives);
  await short.add("run.pauseAsked", { runId: RUN });
  expect((await look(short, seen)).sight.contradiction).toBe(
    "On 2026-11-29 at 14:05:03 UTC 300 entries were seen here; now the log has 1 entry. The log was rolled back. Keep the file with both checkpoints.",
  );
  const other = new MemoryLog(primitives);
  await other.addBytes(...Array.from({ length: 301 }, () => leaf("run.resumeAsked")));
  expect((await look(other, seen)).sight.contradiction).toContain("Someone is shown another log.");
});

test("[A63] another key is accepted only if the key before has handed over to it in the log", async () => {
  const thief = log.fork();
  thief.signWith(localSigner(new Uint8Array(32).fill(9)), 0);
  expect((await look(thief, seen)).sight.contradiction).toContain("no entry hands over");
  const honest = log.fork();
  const next = localSigner(new Uint8Array(32).fill(9));
  const index = await honest.add(
    "log.keyRotated",
    await rotationBody(honest.signer, honest.origin, next.publicKey),
  );
  honest.signWith(next, index);
  expect((await look(honest, seen, { rotations: [index] })).sight.contradiction).toBeNull();
  expect((await look(honest, seen, { rotations: [3] })).sight.contradiction).toContain("no entry hands over");
});

test("[A63] a checkpoint of another key or log, and tiles that make another root, leave nothing to read", async () => {
  const foreign = await look(log, null, { key: localSigner(new Uint8Array(32).fill(4)).publicKey });
  expect([foreign.log, foreign.sight.contradiction]).toEqual([
    null,
    "The log's checkpoint is not signed by the log's key.",
  ]);
  expect((await look(log, null, { note: "no note" })).sight.contradiction).toContain("is none.");
  const changed = log.fork();
  const path = "tile/0/001.p/44";
  const tile = present(changed.files.get(path), "a tile").slice();
  tile[5] = present(tile[5], "a byte") ^ 1;
  changed.files.set(path, tile);
  expect((await look(changed, null)).sight.contradiction).toBe(
    `What the coordinator serves as ${path} is not what the log's signed root commits to.`,
  );
  changed.files.delete(path);
  expect((await look(changed, null)).sight.contradiction).toContain(`does not serve ${path}`);
});

test("[A63] an entry that was changed is no entry, and unknown ones keep their kind", async () => {
  const changed = log.fork();
  await changed.addBytes(utf8('{"at":null,"kind":"later.kind","version":1}'), utf8("no json"));
  const { log: whole } = await look(changed, null);
  const read = await readEntries(present(whole, "a log").tree, { from: 298 });
  assert(read.ok, "the entries read");
  expect(read.value.read).toEqual({ from: 0, to: 302 });
  expect(read.value.entries.slice(298).map(({ index, kind }) => [index, kind])).toEqual([
    [298, "run.pauseAsked"],
    [299, "run.pauseAsked"],
    [300, "later.kind"],
    [301, "unreadable"],
  ]);
  const path = "tile/entries/001.p/46";
  const bundle = present(changed.files.get(path), "a bundle").slice();
  bundle[10] = present(bundle[10], "a byte") ^ 1;
  changed.files.set(path, bundle);
  const { log: wrong } = await look(changed, null);
  expect(await readEntries(present(wrong, "a log").tree, { from: 298 })).toMatchObject({
    ok: false,
    error: { path },
  });
});

test("[A63] a reading has all entries in steps, those since the launch first, and says which if it is stopped", async () => {
  const { log: whole } = await look(log, null);
  const { tree } = present(whole, "a log");
  const large = { ...tree, head: { ...tree.head, size: 2 * READ_BLOCK + 300 } };
  const leaves = async (begin: number, end: number) =>
    ok(Array.from({ length: end - begin }, () => leaf("run.pauseAsked")));
  const reading = async (from: number, stepMax = 9) => {
    const steps: number[] = [];
    const read = await readEntries(
      { ...large, leaves },
      {
        from,
        onStep: (done, total) => {
          expect(total).toBe(8_492);
          steps.push(done);
          return steps.length < stepMax;
        },
      },
    );
    assert(read.ok, "the entries read");
    const { entries, read: range } = read.value;
    expect(entries.map(({ index }) => index)).toEqual(
      Array.from({ length: range.to - range.from }, (_, at) => range.from + at),
    );
    return { steps, ...range };
  };
  // From the run's beginning on, then what is before it, newest first.
  expect(await reading(0)).toEqual({ from: 0, to: 8_492, steps: [4_096, 8_192, 8_492] });
  expect(await reading(5_000)).toEqual({ from: 0, to: 8_492, steps: [3_492, 7_588, 8_492] });
  for (const from of [Number.MAX_SAFE_INTEGER, -5]) expect(await reading(from)).toMatchObject({ to: 8_492 });
  // Whoever stops it has what was read until then, without a gap.
  expect(await reading(290, 1)).toEqual({ from: 290, to: 4_386, steps: [4_096] });
  expect(await reading(5_000, 2)).toEqual({ from: 904, to: 8_492, steps: [3_492, 7_588] });
});
