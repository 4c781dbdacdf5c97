import { describe, expect, test } from "vitest";
import { keystreamWords } from "#shared/crypto/mask-stream.ts";
import { verifySignature } from "#shared/crypto/signature.ts";
import { type Bytes, bytesToHex } from "#shared/kernel/bytes.ts";
import { fakePrimitives, fakeSigner } from "#test/kit/fakes/fake-primitives.ts";
import { seededRandom } from "#test/kit/secagg-fixtures.ts";
import { runCohort } from "#test/kit/worlds/secagg-cohort.ts";

const primitives = fakePrimitives();
const random = seededRandom("fake primitives");

/** Hamming distance. */
function differingBits(left: Bytes, right: Bytes): number {
  let bits = 0;
  for (const [index, byte] of left.entries()) {
    for (let rest = byte ^ (right[index] as number); rest !== 0; rest >>>= 1) bits += rest & 1;
  }
  return bits;
}

describe("fake primitives obey the laws of real ones", () => {
  test("both ends of an agreement get the same secret, and a third party another", async () => {
    for (let run = 0; run < 50; run++) {
      const [a, b, c] = [random(32), random(32), random(32)];
      const [pa, pb, pc] = await Promise.all([a, b, c].map((key) => primitives.x25519PublicKey(key)));
      const ab = await primitives.x25519(a, pb as Bytes);
      expect(await primitives.x25519(b, pa as Bytes)).toEqual(ab);
      expect(await primitives.x25519(a, pc as Bytes)).not.toEqual(ab);
    }
    expect(await primitives.x25519(random(32), new Uint8Array(32))).toEqual({
      ok: false,
      error: { type: "low-order-point" },
    });
  });
  test("a signature is valid only for its key and message, through the protocol's own verification", async () => {
    for (let run = 0; run < 200; run++) {
      const [signer, other] = [fakeSigner(random(32)), fakeSigner(random(32))];
      const message = random(1 + run);
      const signature = await signer.sign(message);
      expect(await verifySignature(primitives, signer.publicKey, message, signature)).toBe(true);
      expect(await verifySignature(primitives, other.publicKey, message, signature)).toBe(false);
      message[run] = (message[run] as number) ^ 1;
      expect(await verifySignature(primitives, signer.publicKey, message, signature)).toBe(false);
    }
  });
  test("a key stream reads the same from any word", async () => {
    const key = random(32);
    const whole = await keystreamWords(primitives, key, 0, 64);
    for (const first of [1, 4, 7, 33]) {
      expect(await keystreamWords(primitives, key, first, 64 - first)).toEqual(whole.slice(first));
    }
  });
  test("one flipped bit of any input changes about half of a hash, and hashes of all short inputs differ", async () => {
    const seen = new Set<string>();
    for (let length = 0; length < 40; length++)
      seen.add(bytesToHex(await primitives.sha256(new Uint8Array(length))));
    for (let bit = 0; bit < 320; bit++) {
      const input = new Uint8Array(40);
      const before = await primitives.sha256(input);
      input[bit >>> 3] = 1 << (bit & 7);
      const after = await primitives.sha256(input);
      seen.add(bytesToHex(after));
      // 128 of 256 with a standard deviation of 8; the tolerance is five of them.
      expect(Math.abs(differingBits(before, after) - 128)).toBeLessThan(41);
    }
    expect(seen.size).toBe(360);
  });
  test("[S2] a cohort that uses them gives the exact sum, with a dropout left out", async () => {
    const { cohort, result } = await runCohort({ count: 9, fake: true, lastSteps: new Map([[4, "share"]]) });
    expect(result.kind === "committed" && result.sum).toEqual(cohort.oracle([1, 2, 3, 5, 6, 7, 8, 9]));
    expect(result.kind === "committed" && result.sum).not.toEqual(cohort.oracle([1, 2, 3, 4, 5, 6, 7, 8, 9]));
  });
});
