import { beforeAll, describe, expect, test } from "vitest";
import { auditRound } from "#shared/audit/audit-round.ts";
import { auditBundle, type Bundle, parseBundle, recording } from "#shared/audit/bundle.ts";
import { lookAtLog } from "#shared/audit/look.ts";
import { selectPrimitives } from "#shared/crypto/primitives-webcrypto.ts";
import { localSigner } from "#shared/crypto/signature.ts";
import { assert, present } from "#shared/kernel/assert.ts";
import { base64ToBytes, bytesToBase64 } from "#shared/kernel/bytes.ts";
import type { Primitives } from "#shared/kernel/ports.ts";
import { rotationBody } from "#shared/tlog/key-rotation.ts";
import { encodeLeaf } from "#shared/tlog/leaf.ts";
import { seededRandom } from "#test/kit/secagg-fixtures.ts";
import { MemoryLog } from "#test/kit/tlog.ts";
import { auditedFederation, entriesOf, nodeDigest, roundSourceOf } from "#test/kit/worlds/audited-round.ts";

let primitives: Primitives;
let log: MemoryLog;
/** As it comes out of a file. */
let text: string;
/** Makes the audit and its file again. */
let recordIt: () => Promise<string>;

beforeAll(async () => {
  primitives = await selectPrimitives(globalThis.crypto.subtle);
  const auditorKey = await primitives.x25519PublicKey(seededRandom("auditor")(32));
  const { federation, rounds } = await auditedFederation(auditorKey);
  log = new MemoryLog(primitives);
  await log.addBytes(
    ...entriesOf(federation).map(({ kind, body }) => encodeLeaf(kind, 1, JSON.parse(JSON.stringify(body)))),
  );
  recordIt = async () => {
    const shown = {
      origin: log.origin,
      key: log.publicKey,
      note: await log.checkpoint(),
      witnesses: [],
      rotations: [...log.rotations],
    };
    const kept = recording(roundSourceOf(federation), async (path) => log.files.get(path) ?? null);
    const roundId = present(rounds[1], "round 2").roundId;
    const record = present(await kept.source.round(roundId), "its record");
    const look = await lookAtLog(primitives, shown, kept.read, null);
    const { evidence } = await auditRound(primitives, nodeDigest, kept.source, record, look, { from: 0 });
    const { read } = evidence;
    const made = kept.bundle({ roundId, shown, witnesses: [], from: 0, read }, "2026-11-30T12:00:00.000Z");
    return JSON.stringify(made);
  };
  text = await recordIt();
}, 60_000);

async function verdictsOf(
  change: (bundle: Bundle) => void = () => {},
  pinned: Uint8Array<ArrayBuffer> | null = null,
) {
  const bundle = parseBundle(JSON.parse(text));
  assert(bundle.ok, "the file reads");
  change(bundle.value);
  const audited = await auditBundle(primitives, nodeDigest, bundle.value, pinned);
  assert(audited.ok, "the file is whole");
  return Object.fromEntries(audited.value.statements.map(({ id, verdict }) => [id, verdict]));
}

test("[A65] the file of an audit gives the same statements without the coordinator", async () => {
  const said = await verdictsOf();
  expect(said).toMatchObject({
    launched: "checked",
    inputs: "checked",
    signed: "checked",
    version: "checked",
  });
  expect(Object.values(said).filter((verdict) => verdict === "checked")).toHaveLength(7);
  expect((await verdictsOf(() => {}, log.publicKey))["same-log"]).toBe("waiting");
});

function flipped(base64: string, at: number): string {
  const bytes = present(base64ToBytes(base64), "bytes");
  const place = (at + bytes.length) % bytes.length;
  bytes[place] = present(bytes[place], "a byte") ^ 1;
  return bytesToBase64(bytes);
}

const TAMPERED: readonly (readonly [string, string, (bundle: Bundle) => void])[] = [
  ["same-log", "an entry", (of) => flipTile(of, "tile/entries/000")],
  ["same-log", "a tile", (of) => flipTile(of, "tile/0/000")],
  ["same-log", "the checkpoint", cutCheckpoint],
  ["version", "the sum", flipSum],
  ["version", "a model", (of) => flipEach(of.blobs)],
  ["signed", "a transcript", (of) => flipEach(of.transcripts)],
  ["sum", "the record's sum", (of) => changeRecord(of, "sumHash")],
  ["version", "the record's model", (of) => changeRecord(of, "modelHash")],
  ["opened", "the record's model before", (of) => changeRecord(of, "parentModelHash")],
  ["launched", "the record's rules", (of) => changeRecord(of, "configHash")],
  ["inputs", "the round's own log", (of) => void of.roundLog?.splice(3, 1)],
];

describe("[A65] a file that was tampered with is refused, by the statement that no longer holds", () => {
  test.for(TAMPERED)("%s: %s", async ([id, , change]) => {
    expect((await verdictsOf(change))[id]).toBe("contradicted");
  });
  test("same-log: a key that is not the pinned one", async () => {
    expect((await verdictsOf(() => {}, new Uint8Array(32).fill(3)))["same-log"]).toBe("contradicted");
  });
});

test("[A65] what is no bundle is named by the field that does not fit, and reserved names find nothing", async () => {
  for (const wrong of [null, [], {}, { format: "chorus/audit-bundle/2" }])
    expect(parseBundle(wrong).ok).toBe(false);
  const more = { ...JSON.parse(text), rounds: [] };
  const parsed = parseBundle(more);
  assert(parsed.ok, "it has the shape");
  expect(await auditBundle(primitives, nodeDigest, parsed.value, null)).toEqual({
    ok: false,
    error: { type: "bad-bundle", place: "rounds" },
  });
  expect((await verdictsOf((of) => Object.assign(of.log, { tiles: {} })))["same-log"]).toBe("contradicted");
});

test("[A101] the file of an audit after the log's key has changed holds for every key that leads to it", async () => {
  const [first, second] = [log.publicKey, localSigner(new Uint8Array(32).fill(8))];
  const body = await rotationBody(log.signer, log.origin, second.publicKey);
  log.signWith(second, await log.add("log.keyRotated", body));
  text = await recordIt();
  for (const pinned of [null, first, second.publicKey])
    expect((await verdictsOf(() => {}, pinned))["same-log"]).toBe("waiting");
  expect((await verdictsOf(() => {}, new Uint8Array(32).fill(3)))["same-log"]).toBe("contradicted");
  // Without the entry that hands over, the first key leads nowhere.
  const cut = (of: Bundle) => void Object.assign(of.log, { rotations: [] });
  expect((await verdictsOf(cut, first))["same-log"]).toBe("contradicted");
  expect((await verdictsOf(cut, second.publicKey))["same-log"]).toBe("waiting");
});

function flipTile(of: Bundle, prefix: string): void {
  const path = present(
    Object.keys(of.log.tiles).find((name) => name.startsWith(prefix)),
    prefix,
  );
  of.log.tiles[path] = flipped(of.log.tiles[path] ?? "", 40);
}

function cutCheckpoint({ log: shown }: Bundle): void {
  shown.note = shown.note.replace(/\n\d+\n/, "\n3\n");
}

function flipSum(of: Bundle): void {
  of.sum = flipped(of.sum ?? "", 8);
}

function flipEach(texts: Record<string, string>): void {
  for (const name of Object.keys(texts)) texts[name] = flipped(texts[name] ?? "", -5);
}

function changeRecord(of: Bundle, field: "sumHash" | "modelHash" | "parentModelHash" | "configHash"): void {
  const record = present(
    of.rounds.find(({ roundId }) => roundId === of.roundId),
    "the record",
  );
  record[field] = "ab".repeat(32);
}
