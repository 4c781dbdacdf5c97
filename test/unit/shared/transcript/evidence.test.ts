import { describe, expect, test } from "vitest";
import { webCryptoPrimitives } from "#shared/crypto/primitives-webcrypto.ts";
import { openSealed } from "#shared/crypto/sealed-box.ts";
import { assert } from "#shared/kernel/assert.ts";
import { type Bytes, bytesToHex } from "#shared/kernel/bytes.ts";
import * as product from "#shared/transcript/evidence.ts";
import { plant } from "#test/kit/planted.ts";
import { seededRandom } from "#test/kit/secagg-fixtures.ts";

const primitives = webCryptoPrimitives(crypto.subtle);
const sid = new Uint8Array(32).fill(5);
const salt = seededRandom("salt")(32);
/** How many people of each of three small groups were in a sum. */
const counts = Uint32Array.of(3, 0, 2);

type Commit = Pick<typeof product, "evidenceHash">;

/** What an attacker finds who knows the transcript and tries all small counts. */
async function guess({ evidenceHash }: Commit, hash: Bytes): Promise<readonly number[] | null> {
  for (let tried = 0; tried < 6 ** 3; tried++) {
    const words = Uint32Array.of(tried % 6, Math.floor(tried / 6) % 6, Math.floor(tried / 36));
    // The salt is not in the transcript, so the attacker must guess one.
    const made = await evidenceHash(primitives, sid, { salt: new Uint8Array(32), words });
    if (bytesToHex(made) === bytesToHex(hash)) return [...words];
  }
  return null;
}

describe("[A8] the commitment to evidence", () => {
  test("does not reveal small counts to someone who tries them all", async () => {
    const hash = await product.evidenceHash(primitives, sid, { salt, words: counts });
    expect(await guess(product, hash)).toBeNull();
  });

  test("would reveal them without its salt (positive control)", async () => {
    const file = "shared/transcript/evidence.ts";
    const planted = await plant([
      { file, find: "E(DOMAINS.evidence, sid, salt, ", replace: "E(DOMAINS.evidence, sid, " },
    ]);
    try {
      const unsalted = await planted.load<Commit>(file);
      const hash = await unsalted.evidenceHash(primitives, sid, { salt, words: counts });
      expect(await guess(unsalted, hash)).toEqual([...counts]);
    } finally {
      await planted.remove();
    }
  });

  test("is opened with the auditor's key, in its own session and as evidence only", async () => {
    const [key, otherKey] = [seededRandom("auditor")(32), seededRandom("other")(32)];
    const publicKey = await primitives.x25519PublicKey(key);
    const evidence = { salt, words: counts };
    const box = await product.sealEvidence(primitives, seededRandom("box"), publicKey, sid, evidence);
    assert(box.ok, "a good key");
    const commitment = await product.evidenceHash(primitives, sid, evidence);
    const committed = { sid, length: 3, commitment };
    const open = (by: Bytes, to: typeof committed, sealed = box.value) =>
      product.openEvidence(primitives, by, to, sealed);
    expect(await open(key, committed)).toEqual({ ok: true, value: evidence });
    expect(await open(otherKey, committed)).toEqual({ ok: false, error: "sealed" });
    expect(await open(key, { ...committed, sid: new Uint8Array(32) })).toEqual({
      ok: false,
      error: "sealed",
    });
    expect(await open(key, { ...committed, commitment: new Uint8Array(32) })).toEqual({
      ok: false,
      error: "other",
    });
    expect(await open(key, { ...committed, length: 2 })).toEqual({ ok: false, error: "other" });
    for (const position of [0, 1]) {
      expect((await openSealed(primitives, key, { sid, position }, box.value)).ok).toBe(false);
    }
  });
});
