import { cp } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { selectPrimitives } from "#shared/crypto/primitives-webcrypto.ts";
import { assert, present } from "#shared/kernel/assert.ts";
import { hexToBytes } from "#shared/kernel/bytes.ts";
import { type Planted, plant } from "#test/kit/planted.ts";
import { seededRandom } from "#test/kit/secagg-fixtures.ts";
import type * as federations from "#test/kit/worlds/federation.ts";
import type * as keptRounds from "#test/kit/worlds/kept-round.ts";

/*
 * Two segments that the product does not have, each added to a copy of it as one file and one entry of the list. They
 * go the whole way: encoded, masked, summed, added over shards, published or committed to, and verified.
 */

const FOLDER = "shared/vector/segments";
const auditorKey = seededRandom("auditor")(32);
const primitives = await selectPrimitives(globalThis.crypto.subtle);
const keeping = { rounds: 1, auditorKey: await primitives.x25519PublicKey(auditorKey) };

let planted: Planted;
let Federation: typeof federations.Federation;
let kit: typeof keptRounds;
let evidenceModule: typeof import("#shared/transcript/evidence.ts");

beforeAll(async () => {
  planted = await plant(
    [
      {
        file: `${FOLDER}/index.ts`,
        find: "[update, weight, metrics, sentinels]",
        replace: "[update, weight, visits, metrics, ages, sentinels]",
      },
      {
        file: `${FOLDER}/index.ts`,
        find: 'import { weight } from "./weight.ts";',
        replace:
          'import { weight } from "./weight.ts"; import { ages } from "./ages.ts"; import { visits } from "./visits.ts";',
      },
    ],
    ["test/kit"],
  );
  for (const name of ["ages.ts", "visits.ts"]) {
    const own = fileURLToPath(new URL(`../../../kit/dummies/${name}`, import.meta.url));
    await cp(own, join(planted.folder, FOLDER, name));
  }
  ({ Federation } = await planted.load<typeof federations>("test/kit/worlds/federation.ts"));
  kit = await planted.load("test/kit/worlds/kept-round.ts");
  evidenceModule = await planted.load("shared/transcript/evidence.ts");
}, 60_000);
afterAll(() => planted.remove());

async function ran(options: Partial<federations.FederationOptions>) {
  const federation = await Federation.create({ devices: 5, keeping, ...options });
  federation.connectAll();
  const runId = await federation.launch(1);
  await federation.ended(runId);
  await federation.inFlight.settle();
  return { federation, detail: present((await federation.rounds(runId))[0], "a round") };
}

/**
 * The model has 15 weights: update 0 to 14, weight 15, visits 16 and 17, metrics 18 to 23, ages 24 to 26, sentinels.
 */
const VISITS = 16;
const EVIDENCE = { from: 18, to: 27 };
const LENGTH = 31;

const sumOf = (lists: readonly Uint32Array[], index: number) =>
  lists.reduce((sum, words) => (sum + (words[index] as number)) | 0, 0);

describe("[S24] a dummy segment", () => {
  test("[A8] [S14] as evidence is committed to and never served in the clear; a public one is published", async () => {
    const { federation, detail } = await ran({});
    expect(detail.phase).toBe("committed");
    const lists = federation.devices.map(({ parts }) => present(parts[0], "a part").words);
    expect(lists.map(({ length }) => length)).toEqual(Array(5).fill(LENGTH));
    const kept = await kit.keptRound(federation, detail);
    const total = Array.from({ length: LENGTH }, (_, index) => sumOf(lists, index));
    // At least one of its numbers is not zero, or this would prove nothing.
    expect(total.slice(VISITS, VISITS + 2).some((value) => value !== 0)).toBe(true);
    expect([...kept.sum]).toEqual([...total.slice(0, EVIDENCE.from), ...total.slice(EVIDENCE.to)]);

    const { sid } = kept.transcript;
    const stored = present(federation.db.evidence.get(sid), "evidence");
    const words = new Int32Array(stored.words.slice().buffer);
    expect([...words]).toEqual(total.slice(EVIDENCE.from, EVIDENCE.to));
    for (const secret of [stored.words, stored.salt]) {
      const shown = [
        ...federation.disk.blobs.values(),
        present(federation.db.transcripts.get(sid), "it").bytes,
      ];
      for (const bytes of shown) expect(Buffer.from(bytes).includes(Buffer.from(secret))).toBe(false);
    }
    const { verdict, lines } = await kit.verdictOn(primitives, kept, auditorKey);
    expect([verdict, lines.filter((line) => line.includes("metrics, ages"))]).toEqual([
      "holds",
      [expect.stringContaining("matches its commitment")],
    ]);

    const lie = await kit.lied(primitives, kept, {
      sum: (numbers) => {
        numbers[VISITS] = present(numbers[VISITS], "visits") + 1;
      },
    });
    expect((await kit.verdictOn(primitives, lie, auditorKey)).verdict).toBe("SUM");
    // One device is moved to another group, and the commitment made to fit.
    const moved = new Uint32Array(words);
    moved[6] = present(moved[6], "a count") - 1;
    moved[7] = present(moved[7], "a count") + 1;
    const other = { salt: stored.salt, words: moved };
    const { evidenceHash, sealEvidence } = evidenceModule;
    const box = await sealEvidence(
      primitives,
      seededRandom("box"),
      keeping.auditorKey,
      hexToBytes(sid),
      other,
    );
    assert(box.ok, "a good key");
    const hash = await evidenceHash(primitives, hexToBytes(sid), other);
    const bent = await kit.lied(primitives, kept, {
      evidence: box.value,
      transcript: (one) => ({ ...one, evidenceHash: hash }),
    });
    expect(await kit.verdictOn(primitives, bent, auditorKey)).toMatchObject({
      verdict: "EVIDENCE",
      sentence: expect.stringContaining("ages"),
    });
  });

  test("is added over shards, on the 16-bit ring too", async () => {
    const graph = { kind: "shards", size: 8 } as const;
    const task = {
      goal: 20,
      overSelection: 1.5,
      cohortSizeMin: 3,
      cohortSizeMax: 40,
      graph,
      ring: 16,
    } as const;
    const { federation, detail } = await ran({ devices: 30, seed: "shards 5", task });
    expect(detail.phase).toBe("committed");
    const [claims, source] = [kit.claimsOf(federation, detail), kit.sourceOf(federation, detail)];
    expect(claims.shards.length).toBeGreaterThan(2);
    expect((await kit.verdictOf(primitives, claims, source, auditorKey)).verdict).toBe("holds");
    expect(federation.db.evidence.size).toBe(claims.shards.length);
  });
});
