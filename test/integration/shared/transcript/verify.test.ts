import { beforeAll, describe, expect, test } from "vitest";
import { canonicalJson } from "#shared/codec/canonical-json.ts";
import { selectPrimitives } from "#shared/crypto/primitives-webcrypto.ts";
import { assert, present } from "#shared/kernel/assert.ts";
import { type Bytes, bytesToHex } from "#shared/kernel/bytes.ts";
import type { Primitives } from "#shared/kernel/ports.ts";
import { encodeFrame } from "#shared/protocol/frame.ts";
import { configHash } from "#shared/secagg/attempt.ts";
import type { AuditSource } from "#shared/transcript/claims.ts";
import { roundTranscriptHash } from "#shared/transcript/round-transcript.ts";
import type { SessionTranscript } from "#shared/transcript/session-transcript.ts";
import { chunkCountOf, detectionProbability } from "#shared/transcript/spot-check.ts";
import { layoutOf } from "#shared/vector/task-layout.ts";
import { positionNo } from "#test/kit/places.ts";
import { seededRandom } from "#test/kit/secagg-fixtures.ts";
import { segmentOf } from "#test/kit/vectors.ts";
import {
  type KeptRound,
  keptSecondRound,
  type Lie,
  lied,
  sourceOn,
  verdictOf,
  verdictOn,
} from "#test/kit/worlds/kept-round.ts";

/*
 * A coordinator that lies about a round and makes everything else fit: hashes, and the model that its wrong sum makes.
 * The round is a real one, with a device that left before its input; unchanged it verifies, which is each lie's
 * control.
 */

const auditorKey = seededRandom("auditor")(32);
let primitives: Primitives;
let publicKey: Bytes;
/** Nine chunks of sum; the strategy keeps two moments. The second round, so that they have a history. */
let kept: KeptRound;

beforeAll(async () => {
  primitives = await selectPrimitives(globalThis.crypto.subtle);
  publicKey = await primitives.x25519PublicKey(auditorKey);
  kept = await keptSecondRound(publicKey);
  expect([kept.transcript.members.length, kept.inputs.size]).toEqual([7, 6]);
}, 60_000);

const verdict = async (lie: Lie) => verdictOn(primitives, await lied(primitives, kept, lie), auditorKey);

describe("an honest round", () => {
  test("[A2] [A3] [A4] [A6] holds, and every line says what was checked", async () => {
    const { verdict: said, lines } = await verdictOn(primitives, kept, auditorKey);
    expect(said).toBe("holds");
    expect(lines.join("\n")).toMatch(/32 signatures are valid: 7 devices, 6 inputs in the sum, 5 needed\./);
    // b of six survivors, and the masks that the device that left shares with each of them.
    expect(lines.join("\n")).toMatch(/[56] devices opened the sum; 12 masks rebuilt/);
    expect(lines.join("\n")).toMatch(/All 9 chunks of 64 KiB/);
    expect(lines.join("\n")).toMatch(/recomputed from the published sum by fedadam/);
    expect((await verdict({})).verdict).toBe("holds");
  });

  test("[A4] holds whichever chunks are drawn, and the odds are stated", async () => {
    const { verdict: said, lines } = await verdictOn(primitives, kept, auditorKey, { chunks: 3 });
    expect(said).toBe("holds");
    expect(lines.join("\n")).toContain(
      "3 of 9 chunks of 64 KiB of the sum recomputed: one wrong chunk is found with a probability of 33.3 %",
    );
  });
});

describe("[A4] a flipped number in a sum", () => {
  const flipAt = (index: number): Lie => ({
    sum: (numbers) => {
      numbers[index] = present(numbers[index], "a number") ^ 1;
    },
  });

  test.for([0, 16_383, 16_384, 77_777, 131_074])("at %i is found by --all", async (index) => {
    const { verdict: said, sentence } = await verdict(flipAt(index));
    expect(said).toBe("SUM");
    expect(sentence).toContain(`in chunk ${Math.floor(index / 16_384)}, word ${index}:`);
  });

  test("is found by --chunks with the stated probability", async () => {
    const liar = await lied(primitives, kept, flipAt(77_777));
    const total = chunkCountOf(layoutOf(kept.claims.task, "train", null));
    const [seeds, chunks] = [90, 3];
    let found = 0;
    for (let seed = 0; seed < seeds; seed++) {
      const random = seededRandom(`draw ${seed}`);
      const { verdict: said } = await verdictOn(primitives, liar, auditorKey, { chunks, random });
      expect(["SUM", "holds"]).toContain(said);
      if (said === "SUM") found++;
    }
    const probability = detectionProbability(total, 1, chunks);
    const deviation = Math.sqrt(seeds * probability * (1 - probability));
    expect(total).toBe(9);
    expect(Math.abs(found - seeds * probability)).toBeLessThan(4 * deviation);
  }, 60_000);

  test("in a check number is found without any of its chunks", async () => {
    const { length } = kept.sum;
    const { verdict: said } = await verdictOn(
      primitives,
      await lied(primitives, kept, flipAt(length - 1)),
      auditorKey,
      // Not the last chunk.
      { chunks: 1, random: (count) => new Uint8Array(count) },
    );
    expect(said).toBe("RANGE");
  });
});

describe("an input", () => {
  const [first, second] = [0, 1];

  test("[A4] that was left out of the sum is found, although everything that devices signed is shown", async () => {
    const { length } = layoutOf(kept.claims.task, "train", null);
    const weight = segmentOf(layoutOf(kept.claims.task, "train", null), "weight").offset;
    const { verdict: said } = await verdict({
      // As if one device were absent: its weight and its check numbers are missing.
      sum: (numbers) => {
        numbers[weight] = present(numbers[weight], "a weight") - 1;
        for (let slot = 1; slot <= 4; slot++) numbers[numbers.length - slot] = 5;
      },
    });
    expect([said, length]).toEqual(["SUM", 131_086]);
  });

  test("[A2] that is dropped from U3 contradicts what the devices confirmed", async () => {
    const { verdict: said } = await verdict({
      transcript: (transcript) => {
        const u3 = new Uint8Array(transcript.u3);
        const dropped = present(transcript.inputs[first], "an input").position;
        u3[0] = present(u3[0], "a byte") & ~(1 << (dropped - 1));
        return { ...transcript, u3, inputs: transcript.inputs.slice(1) };
      },
    });
    // Five are enough for a sum, but six were confirmed.
    expect(said).toBe("CONFIRMATION_SIGNATURE");
  });

  test("[A2] that is swapped for another root was not signed", async () => {
    const { verdict: said, sentence } = await verdict({ transcript: swapRoots });
    expect(said).toBe("INPUT_SIGNATURE");
    expect(sentence).toContain(`position ${present(kept.transcript.inputs[first], "an input").position} `);
  });

  test("[A4] whose bytes are shown differently is not the one that was signed", async () => {
    const positions = [...kept.inputs.keys()];
    const inputs = new Map(kept.inputs);
    inputs.set(
      present(positions[first], "one"),
      present(kept.inputs.get(positions[second] ?? positionNo(0)), "another"),
    );
    expect((await verdict({ inputs })).verdict).toBe("CHUNK");
  });

  function swapRoots(transcript: SessionTranscript): SessionTranscript {
    const inputs = transcript.inputs.map((input, index) => {
      const other = index === first ? second : index === second ? first : index;
      return { ...input, root: present(transcript.inputs[other], "an input").root };
    });
    return { ...transcript, inputs };
  }
});

describe("[A2] a signature", () => {
  const flipped = (bytes: Bytes) => bytes.map((byte, index) => (index === 40 ? byte ^ 1 : byte)) as Bytes;
  const inFirst = <Item extends { readonly signature: Bytes }>(items: readonly Item[]): Item[] =>
    items.map((item, index) => (index === 0 ? { ...item, signature: flipped(item.signature) } : item));

  test.for<[string, (transcript: SessionTranscript) => SessionTranscript]>([
    ["ADVERT_SIGNATURE", (transcript) => ({ ...transcript, members: inFirst(transcript.members) })],
    ["BUNDLE_SIGNATURE", (transcript) => ({ ...transcript, bundles: inFirst(transcript.bundles) })],
    ["INPUT_SIGNATURE", (transcript) => ({ ...transcript, inputs: inFirst(transcript.inputs) })],
    [
      "CONFIRMATION_SIGNATURE",
      (transcript) => ({ ...transcript, confirmations: inFirst(transcript.confirmations) }),
    ],
    [
      "CERTIFICATE",
      (transcript) => ({
        ...transcript,
        members: transcript.members.map((member, index) =>
          index === 3 ? { ...member, certificate: flipped(member.certificate) } : member,
        ),
      }),
    ],
  ])("that is forged is named: %s", async ([code, transcript]) => {
    expect((await verdict({ transcript })).verdict).toBe(code);
  });

  test("too few confirmations, or a duplicate, are not t", async () => {
    const few = await verdict({
      transcript: (transcript) => ({ ...transcript, confirmations: transcript.confirmations.slice(0, 2) }),
    });
    expect(few.verdict).toBe("TOO_FEW_CONFIRMATIONS");
    const twice = await verdict({
      transcript: (transcript) => ({
        ...transcript,
        confirmations: transcript.confirmations.map(() => present(transcript.confirmations[0], "one")),
      }),
    });
    expect(twice.verdict).toBe("CONFIRMATION_SIGNATURE");
  });

  test("of another roster, config, round or model makes another session", async () => {
    const { members } = kept.transcript;
    expect((await verdict({ transcript: (one) => ({ ...one, attempt: 2 }) })).verdict).toBe("ROSTER");
    expect((await verdict({ transcript: (one) => ({ ...one, members: members.slice(1) }) })).verdict).toBe(
      "ROSTER",
    );
    expect((await verdict({ transcript: (one) => ({ ...one, round: 1 }) })).verdict).toBe("TERMS");
    const config = { ...kept.transcript.config, cohortSizeMin: 4 };
    expect((await verdict({ transcript: (one) => ({ ...one, config }) })).verdict).toBe("TERMS");
  });
});

describe("[A4] what is not served", () => {
  async function* nothing(): AsyncGenerator<Uint8Array> {}

  test.for<[string, (source: AuditSource) => Partial<AuditSource>]>([
    ["NOT_KEPT", () => ({ transcript: async () => null })],
    ["WITHHELD", () => ({ openings: async () => null })],
    ["WITHHELD", () => ({ sum: nothing })],
    [
      "WITHHELD",
      ({ blob }) => ({ blob: async (hash) => (hash === kept.claims.parentModelHash ? null : blob(hash)) }),
    ],
    [
      "WITHHELD",
      ({ chunk }) => ({ chunk: async (...at) => (at[1] === 3 && at[2] === 4 ? null : chunk(...at)) }),
    ],
  ])("is %s: of a round whose transcript is there every part must be", async ([code, refused]) => {
    const source = sourceOn(kept);
    const { claims } = kept;
    const said = await verdictOf(primitives, claims, { ...source, ...refused(source) }, auditorKey);
    expect(said.verdict).toBe(code);
    expect((await verdictOf(primitives, claims, source, auditorKey)).verdict).toBe("holds");
  });
});

describe("[A2] what the round went by", () => {
  test("is the config that its task makes, and no other", async () => {
    const { claims } = kept;
    const another = { ...claims.task, invitation: "Help with something else" };
    expect((await verdict({ claims: { task: another } })).verdict).toBe("TERMS");
    // The task's own hash stays, but devices agreed to something that it does not make.
    const config = { ...kept.transcript.config, cohortSizeMin: 4 };
    const hash = bytesToHex(await configHash(primitives, config));
    const said = await verdict({
      transcript: (one) => ({ ...one, config }),
      claims: { configHash: hash },
    });
    expect([said.verdict, said.sentence]).toEqual(["TERMS", expect.stringContaining(`, not ${hash}.`)]);
    const { lines } = await verdict({});
    expect(lines).toContain(`Strategy ${canonicalJson(claims.strategy)}.`);
    expect(lines.join("\n")).toContain(`Config ${claims.configHash} (as the coordinator says`);
    expect(lines.join("\n")).toContain(`Issuer ${config.issuerKey} (as the coordinator says`);
  });

  test("and its counts are those of its sum", async () => {
    const { weightSum, survivorCount } = kept.claims;
    expect([survivorCount, (await verdict({})).verdict]).toEqual([6, "holds"]);
    for (const claims of [{ weightSum: (weightSum ?? 0) + 1 }, { survivorCount: 7 }, { survivorCounts: [7] }])
      expect((await verdict({ claims })).verdict).toBe("COUNTS");
  });

  test("and a key of small order is no key", async () => {
    const members = kept.transcript.members.map((member, index) =>
      index === 2 ? { ...member, s: new Uint8Array(32) } : member,
    );
    const said = await verdict({ transcript: (one) => ({ ...one, members }) });
    expect([said.verdict, said.sentence]).toEqual([
      "ROSTER",
      expect.stringContaining("position 3 advertised a key"),
    ]);
  });

  test("and whether the evidence was recomputed is stated", async () => {
    expect((await verdict({})).lines.join("\n")).toContain(
      "(metrics): matches its commitment, and was recomputed in 1 of 1 sums.",
    );
    const random = (count: number) => new Uint8Array(count);
    const { lines } = await verdictOn(primitives, kept, auditorKey, { chunks: 1, random });
    expect(lines.join("\n")).toContain("recomputed in 0 of 1 sums; the others were not drawn.");
  });
});

describe("[A1] a hash", () => {
  const other = "ab".repeat(32);
  test.for<[string, NonNullable<Lie["claims"]>]>([
    ["TRANSCRIPT_HASH", { transcriptHash: other }],
    ["TRANSCRIPT_HASH", { sessionHashes: [other] }],
    ["SUM_HASH", { sumHash: other }],
    ["INPUTS_ROOT", { inputsRoot: other }],
  ])("that is not that of its content: %s", async ([code, claims]) => {
    expect((await verdict({ claims })).verdict).toBe(code);
  });
});

describe("[A6] the next model", () => {
  test("is the one that the sum makes, and so is the strategy's state before and after", async () => {
    const { parentModelHash } = kept.claims;
    expect((await verdict({ claims: { modelHash: parentModelHash } })).verdict).toBe("MODEL");
    const { parentStateHash } = kept.claims;
    expect((await verdict({ claims: { strategyStateHash: parentStateHash } })).verdict).toBe(
      "STRATEGY_STATE",
    );
    // A strategy that forgets its history makes another model; the round before proves that it must not.
    expect((await verdict({ claims: { parentStateHash: null } })).verdict).toBe("STRATEGY_STATE");
    const { before } = kept.claims;
    assert(before.kind === "committed", "the second round");
    const forgetful = { parentStateHash: null, before: { ...before, strategyStateHash: null } };
    expect((await verdict({ claims: forgetful })).verdict).toBe("MODEL");
  });

  test("continues from the model of the rounds before, or the result says that nobody checked that", async () => {
    const { before, parentModelHash, modelHash } = kept.claims;
    assert(before.kind === "committed", "the second round");
    const linked = (await verdict({})).lines;
    expect(linked).toContain(`Model ${parentModelHash}: the round trained the model of round 1.`);
    const of = async (claims: NonNullable<Lie["claims"]>) => verdict({ claims });
    expect((await of({ before: { ...before, modelHash } })).verdict).toBe("PARENT");
    const voided = { round: 1, phase: "voided", parentModelHash } as const;
    expect((await of({ before: { ...before, since: [voided] } })).verdict).toBe("PARENT");
    const failed = { ...voided, phase: "failed" } as const;
    expect((await of({ before: { ...before, since: [failed] } })).verdict).toBe("holds");
    const fresh = { kind: "beginning", seed: 7, since: [] } as const;
    expect((await of({ before: fresh, parentStateHash: null })).verdict).toBe("PARENT");
    const unsaid = await of({ before: { ...before, strategyStateHash: undefined } });
    expect([
      unsaid.verdict,
      unsaid.lines.filter((line) => line.includes("link to the strategy's state was NOT checked")).length,
    ]).toEqual(["holds", 1]);
    const unknown = await of({
      before: { kind: "unknown", why: "the coordinator has no record of round 1." },
    });
    expect([
      unknown.verdict,
      unknown.lines.filter((line) => line.includes("round before was NOT checked")).length,
    ]).toEqual(["holds", 1]);
  });

  test("comes from the strategy that is named", async () => {
    const strategy = { ...kept.claims.strategy, serverLearningRate: 0.2 };
    expect((await verdict({ claims: { strategy } })).verdict).toBe("MODEL");
  });
});

test("[A8] a transcript of an earlier version is not called wrong", async () => {
  const old = encodeFrame({ ...kept.transcript, version: 1 });
  const source: AuditSource = { ...sourceOn(kept), transcript: async () => old };
  const sessionHashes = [bytesToHex(await primitives.sha256(old))];
  const claims = { ...kept.claims, sessionHashes };
  const transcriptHash = await roundTranscriptHash(primitives, claims);
  const said = await verdictOf(primitives, { ...claims, transcriptHash }, source, auditorKey);
  expect([said.verdict, said.sentence]).toEqual([
    "OLD_VERSION",
    expect.stringContaining("check it with that version"),
  ]);
});
