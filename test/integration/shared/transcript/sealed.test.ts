import { beforeAll, describe, expect, test } from "vitest";
import { selectPrimitives } from "#shared/crypto/primitives-webcrypto.ts";
import { openSealed, sealTo } from "#shared/crypto/sealed-box.ts";
import { assert, present } from "#shared/kernel/assert.ts";
import { type Bytes, hexToBytes } from "#shared/kernel/bytes.ts";
import type { Position } from "#shared/kernel/places.ts";
import type { Primitives } from "#shared/kernel/ports.ts";
import { decodeFrame, encodeFrame } from "#shared/protocol/frame.ts";
import { unmaskSchema } from "#shared/protocol/messages/device.ts";
import type { AuditSource } from "#shared/transcript/claims.ts";
import {
  type Evidence,
  evidenceHash as hashEvidence,
  openEvidence,
  sealEvidence,
} from "#shared/transcript/evidence.ts";
import type { SealedOpening } from "#shared/transcript/open-session.ts";
import { seededRandom } from "#test/kit/secagg-fixtures.ts";
import {
  type KeptRound,
  keptSecondRound,
  type Lie,
  lied,
  sourceOn,
  verdictOf,
  verdictOn,
} from "#test/kit/worlds/kept-round.ts";

/* What is sealed for the auditor: opening shares and evidence. Unchanged, the round verifies, which is the control of each lie. */

const auditorKey = seededRandom("auditor")(32);
let primitives: Primitives;
let publicKey: Bytes;
let kept: KeptRound;

beforeAll(async () => {
  primitives = await selectPrimitives(globalThis.crypto.subtle);
  publicKey = await primitives.x25519PublicKey(auditorKey);
  kept = await keptSecondRound(publicKey);
  expect([kept.transcript.members.length, kept.inputs.size]).toEqual([7, 6]);
}, 60_000);

const verdict = async (lie: Lie) => verdictOn(primitives, await lied(primitives, kept, lie), auditorKey);

describe("[A3] opening shares", () => {
  type Unmask = ReturnType<typeof unmaskSchema.parse>;

  /** The box of a position, with another message in it. */
  async function resealed(position: Position, change: (message: Unmask) => Unmask): Promise<SealedOpening[]> {
    const sid = Uint8Array.from(Buffer.from(kept.transcript.sid, "hex"));
    return Promise.all(
      kept.openings.map(async (opening) => {
        if (opening.position !== position) return opening;
        const opened = await openSealed(primitives, auditorKey, { sid, position }, opening.sealed);
        assert(opened.ok, "the auditor's own box");
        const message = decodeFrame(opened.value, unmaskSchema);
        assert(message.ok, "a message");
        const bytes = encodeFrame(change(message.value));
        const sealed = await sealTo(primitives, seededRandom("seal"), publicKey, { sid, position }, bytes);
        assert(sealed.ok, "a key");
        return { position, sealed: sealed.value };
      }),
    );
  }
  const firstPosition = () => present(kept.openings[0], "an opening").position;

  test("are those that the device signed", async () => {
    const wrong = await resealed(firstPosition(), (message) => ({
      ...message,
      bShares: message.bShares.map(({ owner, share }) => ({ owner, share: share.fill(7) })),
    }));
    expect((await verdict({ openings: wrong })).verdict).toBe("OPENING_SIGNATURE");
    const same = await resealed(firstPosition(), (message) => message);
    expect((await verdict({ openings: same })).verdict).toBe("holds");
  });

  test("open with the auditor's key only, in their own session and at their own position", async () => {
    const { verdict: said } = await verdictOn(primitives, kept, seededRandom("someone")(32));
    expect(said).toBe("AUDITOR_KEY");
    const moved = kept.openings.map(({ position, sealed }, index) => {
      return { position, sealed: index === 1 ? present(kept.openings[0], "another").sealed : sealed };
    });
    expect((await verdict({ openings: moved })).verdict).toBe("OPENING_SEAL");
  });

  test("from fewer than t devices, or from one device twice, open nothing", async () => {
    expect((await verdict({ openings: kept.openings.slice(0, 4) })).verdict).toBe("TOO_FEW_SHARES");
    const twice = kept.openings.map(() => present(kept.openings[0], "one"));
    expect((await verdict({ openings: twice })).verdict).toBe("OPENING_SIGNATURE");
  });
});

describe("[A8] evidence", () => {
  const sid = () => hexToBytes(kept.transcript.sid);
  const length = 6;

  async function opened(): Promise<Evidence> {
    const committed = { sid: sid(), length, commitment: kept.transcript.evidenceHash };
    const evidence = await openEvidence(primitives, auditorKey, committed, kept.evidence);
    assert(evidence.ok, "the auditor's own box");
    return evidence.value;
  }
  async function sealed(evidence: Evidence, to = publicKey, of = sid()): Promise<Bytes> {
    const box = await sealEvidence(primitives, seededRandom("again"), to, of, evidence);
    assert(box.ok, "a good key");
    return box.value;
  }

  test("is what the transcript commits to, in every draw of chunks", async () => {
    const evidence = await opened();
    expect((await verdict({ evidence: await sealed(evidence) })).verdict).toBe("holds");
    const evidenceHash = new Uint8Array(32);
    const bent = await lied(primitives, kept, { transcript: (one) => ({ ...one, evidenceHash }) });
    // No chunk that contains it.
    const random = (count: number) => new Uint8Array(count);
    for (const options of [{}, { chunks: 1, random }]) {
      expect((await verdictOn(primitives, bent, auditorKey, options)).verdict).toBe("EVIDENCE");
    }
    const words = evidence.words.map((word, index) => (index === 0 ? word + 1 : word));
    expect((await verdict({ evidence: await sealed({ ...evidence, words }) })).verdict).toBe("EVIDENCE");
    const salt = new Uint8Array(32);
    expect((await verdict({ evidence: await sealed({ ...evidence, salt }) })).verdict).toBe("EVIDENCE");
  });

  test("opens with the auditor's key and in its own session only", async () => {
    const evidence = await opened();
    const otherKey = await primitives.x25519PublicKey(seededRandom("someone")(32));
    expect((await verdict({ evidence: await sealed(evidence, otherKey) })).verdict).toBe("EVIDENCE");
    const elsewhere = await sealed(evidence, publicKey, new Uint8Array(32));
    expect((await verdict({ evidence: elsewhere })).verdict).toBe("EVIDENCE");
  });

  test("that does not follow from the inputs is found, although it was committed to", async () => {
    const evidence = await opened();
    const words = evidence.words.map((word, index) => (index === 2 ? word + 1 : word));
    const other = { ...evidence, words };
    const evidenceHash = await hashEvidence(primitives, sid(), other);
    const lie: Lie = {
      evidence: await sealed(other),
      transcript: (one) => ({ ...one, evidenceHash }),
    };
    expect(await verdict(lie)).toMatchObject({
      verdict: "EVIDENCE",
      sentence: "The metrics of the round do not follow from the inputs.",
    });
  });

  test("that is not served is withheld", async () => {
    const source: AuditSource = { ...sourceOn(kept), evidence: async () => null };
    expect((await verdictOf(primitives, kept.claims, source, auditorKey)).verdict).toBe("WITHHELD");
  });
});
