import { describe, expect, test } from "vitest";
import { webCryptoPrimitives } from "#shared/crypto/primitives-webcrypto.ts";
import { localSigner } from "#shared/crypto/signature.ts";
import { present } from "#shared/kernel/assert.ts";
import { rotationBody } from "#shared/tlog/key-rotation.ts";
import { type KnownLog, type LogProof, verifyLogProof } from "#shared/tlog/log-proof.ts";
import { MemoryLog } from "#test/kit/tlog.ts";

const primitives = webCryptoPrimitives(crypto.subtle);
const hash = "ab".repeat(32);
const archived = (version: number) => ({ slug: "digits", taskVersion: version });

/** A log of `count` leaves, and what someone knows who saw it then. */
async function seenLog(count: number): Promise<{ readonly log: MemoryLog; readonly known: KnownLog }> {
  const log = new MemoryLog(primitives);
  for (let version = 1; version <= count; version++) await log.add("task.archived", archived(version));
  return { log, known: { origin: log.origin, key: log.publicKey, seen: await log.head() } };
}

const verify = (proof: LogProof, known: KnownLog) => verifyLogProof(primitives, proof, known);

describe("[A33] a proof of the log", () => {
  test("shows leaves of a log that goes on from the one that was seen", async () => {
    const { log, known } = await seenLog(5);
    await log.add("task.archived", archived(6));
    const index = await log.add("task.published", { slug: "digits", taskVersion: 7, taskHash: hash });
    const verified = await verify(await log.proof(5, [index, 2]), known);
    expect(verified).toMatchObject({
      ok: true,
      value: {
        checkpoint: { size: 7 },
        key: log.publicKey,
        leaves: [
          { kind: "task.published", facts: { taskVersion: 7 } },
          { kind: "task.archived", facts: { taskVersion: 3 } },
        ],
      },
    });
    // Whoever has seen nothing takes the log as it is.
    expect((await verify(await log.proof(null, [index]), { ...known, seen: null })).ok).toBe(true);
  });

  test("of a log that was rolled back, or forked before what was seen, is refused", async () => {
    const { log, known } = await seenLog(5);
    const { log: shorter } = await seenLog(4);
    expect(await verify(await shorter.proof(null, [0]), known)).toMatchObject({
      ok: false,
      error: { type: "rolled-back", seen: { size: 5 }, shown: { size: 4 } },
    });
    const fork = shorter.fork();
    await fork.add("task.archived", archived(99));
    expect(await verify(await fork.proof(5, [0]), known)).toMatchObject({
      ok: false,
      error: { type: "forked", seen: { size: 5 }, shown: { size: 5 } },
    });
    await fork.add("task.archived", archived(6));
    expect(await verify(await fork.proof(5, [0]), known)).toMatchObject({
      ok: false,
      error: { type: "forked", shown: { size: 6 } },
    });
    expect((await verify(await log.proof(5, [0]), known)).ok).toBe(true);
  });

  test("with another leaf, another place or another signer is refused", async () => {
    const { log, known } = await seenLog(9);
    const proof = await log.proof(9, [3]);
    const [leaf] = proof.leaves;
    const proved = present(leaf, "a leaf");
    expect(await verify({ ...proof, leaves: [{ ...proved, index: 4 }] }, known)).toEqual({
      ok: false,
      error: { type: "not-included", index: 4 },
    });
    const other = (await log.proof(9, [4])).leaves[0];
    const tampered = { ...proved, leaf: present(other, "a leaf").leaf };
    expect(await verify({ ...proof, leaves: [tampered] }, known)).toEqual({
      ok: false,
      error: { type: "not-included", index: 3 },
    });
    const thief = localSigner(new Uint8Array(32).fill(3));
    expect(await verify(proof, { ...known, key: thief.publicKey })).toEqual({
      ok: false,
      error: { type: "not-signed" },
    });
    expect(await verify(proof, { ...known, origin: "log.example/2" })).toMatchObject({
      ok: false,
      error: { type: "other-origin" },
    });
  });

  test("leads from key to key by leaves that the key before has signed", async () => {
    const { log, known } = await seenLog(3);
    const [second, third, thief] = [4, 5, 6].map((seed) => localSigner(new Uint8Array(32).fill(seed)));
    if (second === undefined || third === undefined || thief === undefined) throw new Error("three keys");
    for (const next of [second, third]) {
      const body = await rotationBody(log.signer, log.origin, next.publicKey);
      log.signWith(next, await log.add("log.keyRotated", body));
    }
    const index = await log.add("task.archived", archived(4));
    const proof = await log.proof(3, [index]);
    expect(await verify(proof, known)).toMatchObject({ ok: true, value: { key: third.publicKey } });
    // Whoever has followed passes over what is behind them.
    for (const key of [second.publicKey, third.publicKey])
      expect(await verify(proof, { ...known, key })).toMatchObject({
        ok: true,
        value: { key: third.publicKey },
      });
    // Without the leaves the new key is a stranger's.
    expect(await verify({ ...proof, rotations: [] }, known)).toEqual({
      ok: false,
      error: { type: "not-signed" },
    });
    // One that says who signed and was not signed by them.
    const fork = (await seenLog(3)).log;
    const forged = await rotationBody(thief, fork.origin, thief.publicKey);
    const from = (await rotationBody(fork.signer, fork.origin, thief.publicKey)).from;
    fork.signWith(thief, await fork.add("log.keyRotated", { ...forged, from }));
    expect(await verify(await fork.proof(3, []), known)).toEqual({
      ok: false,
      error: { type: "bad-rotation", index: 3 },
    });
    // One that is in no checkpoint.
    const [first] = proof.rotations;
    const moved = { ...present(first, "a rotation"), index: 0 };
    expect(await verify({ ...proof, rotations: [moved, ...proof.rotations.slice(1)] }, known)).toEqual({
      ok: false,
      error: { type: "not-included", index: 0 },
    });
  });
});
