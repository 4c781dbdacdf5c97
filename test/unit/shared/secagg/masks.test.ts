import { hkdfSync } from "node:crypto";
import { describe, expect, test } from "vitest";
import { maskKeyPairFromSeed, pairMaskKey, pairMaskSign } from "#shared/crypto/key-agreement.ts";
import { addMasks } from "#shared/crypto/mask-stream.ts";
import { combineShares, lagrangeBasisAtZero, splitSecret } from "#shared/crypto/shamir.ts";
import type { Bytes } from "#shared/kernel/bytes.ts";
import { positionNo } from "#test/kit/places.ts";
import { randomWords, seededRandom } from "#test/kit/secagg-fixtures.ts";
import { lastSent } from "#test/kit/worlds/cohort-device.ts";
import { SecaggCohort } from "#test/kit/worlds/secagg-cohort.ts";

const LENGTH = 65_536;
/** Chi-square with 255 degrees of freedom exceeds this with probability 1e-6. All seeds are fixed. */
const LIMIT = 370;

/** Statistic of the byte frequencies against the uniform distribution. */
function chiSquare(words: Uint32Array): number {
  const counts = new Float64Array(256);
  const bytes = new Uint8Array(words.buffer, words.byteOffset, words.byteLength);
  for (const byte of bytes) counts[byte] = (counts[byte] as number) + 1;
  const expected = bytes.length / 256;
  return counts.reduce((total, count) => total + (count - expected) ** 2 / expected, 0);
}

function wordsOf(cohort: SecaggCohort, position: number): Uint32Array<ArrayBuffer> {
  return new Uint32Array((cohort.device(position).body as Bytes).slice().buffer);
}
const minus = (left: Uint32Array, right: Uint32Array) =>
  left.map((word, index) => word - (right[index] as number));

/** All inputs are the same constant; stops once the inputs are in. */
async function masked(constant: number, options: Partial<Parameters<typeof SecaggCohort.create>[0]> = {}) {
  const input = () => new Uint32Array(LENGTH).fill(constant);
  const cohort = await SecaggCohort.create({ count: 4, vectorLength: LENGTH, input, ...options });
  for (const step of ["advertiseAll", "shareAll", "collectAll"] as const)
    expect(await cohort[step]()).toBeNull();
  return cohort;
}

describe("a masked input", () => {
  test.each([0, 7, 2 ** 32 - 1])("[S3] of the constant %i is uniform", async (constant) => {
    const cohort = await masked(constant);
    const all = [1, 2, 3, 4].map((position) => wordsOf(cohort, position));
    for (const words of all) expect(chiSquare(words)).toBeLessThan(LIMIT);
    // Two of them have nothing in common either: their difference is just as uniform.
    expect(chiSquare(minus(all[0] as Uint32Array, all[1] as Uint32Array))).toBeLessThan(LIMIT);
  });

  test("[S3] differs between attempts, rounds and runs of the same devices with the same input", async () => {
    const first = wordsOf(await masked(7), 1);
    const seeds = { seed: "another draw", identitySeed: "cohort" };
    for (const options of [seeds, { terms: { attempt: 2 } }, { terms: { round: 2 } }]) {
      // Even with the same secrets another attempt has other masks, because every key contains its session id.
      const second = wordsOf(await masked(7, options), 1);
      expect(chiSquare(minus(first, second))).toBeLessThan(LIMIT);
      expect(minus(first, second).filter((word) => word === 0).length).toBeLessThan(3);
    }
  });

  test("[S3] a distribution that is not uniform is detected (positive control)", async () => {
    const same = new Uint32Array(LENGTH).fill(7);
    expect(chiSquare(same)).toBeGreaterThan(LIMIT);
    // With the same mask twice, the masks cancel and the difference of the inputs shows.
    const first = wordsOf(await masked(7), 1);
    const second = wordsOf(await masked(9), 1);
    expect(new Set(minus(second, first))).toEqual(new Set([2]));
    // A generator that drops the lowest bit of each byte.
    const weak = randomWords("weak", LENGTH).map((word) => word & 0xfefefefe);
    expect(chiSquare(weak)).toBeGreaterThan(LIMIT);
  });

  test("[S4] that comes late stays uniform when its pair masks are removed", async () => {
    // Position 2 masks and sends, but too late: its z is rebuilt from the others' shares.
    const cohort = await masked(7, { count: 5 });
    const late = wordsOf(cohort, 2);
    cohort.inputs.delete(positionNo(2));
    await cohort.fixU3();
    for (const position of [1, 3, 4, 5]) {
      const step = await cohort.deliver(position, cohort.setsMessage());
      if (step.type !== "go") throw new Error(step.type);
      cohort.confirmations.set(positionNo(position), lastSent(cohort.device(position), "confirm").signature);
    }
    const shares: Bytes[] = [];
    for (const position of [1, 3, 4, 5]) {
      await cohort.deliver(position, cohort.openMessage());
      const [held, ...more] = lastSent(cohort.device(position), "unmask").zShares;
      expect([held?.owner, more.length]).toEqual([2, 0]);
      shares.push(held?.share as Bytes);
    }
    const { primitives, roster, members } = cohort;
    const z = combineShares(lagrangeBasisAtZero([1, 3, 4, 5]), shares);
    const { publicKey, secretKey } = await maskKeyPairFromSeed(primitives, z);
    expect(publicKey).toEqual(members[1]?.s);
    for (const other of [1, 3, 4, 5]) {
      const shared = await primitives.x25519(secretKey, members[other - 1]?.s as Bytes);
      if (!shared.ok) throw new Error("a key");
      const key = await pairMaskKey(primitives, shared.value, roster.sid, 2, other);
      await addMasks(primitives, late, [{ key, sign: pairMaskSign(2, other) === 1 ? -1 : 1 }]);
    }
    // What is left is the input under its self mask.
    expect(chiSquare(late)).toBeLessThan(LIMIT);
    const b = selfSecretOf(2);
    await addMasks(primitives, late, [{ key: hkdf(b, roster.sid, "chorus/1/self-mask", 2), sign: -1 }]);
    // Positive control: without that mask the input itself shows, so nothing else had covered it.
    expect(late).toEqual(new Uint32Array(LENGTH).fill(7));
  });
});

/** b of a device, from its own draws: the holders wiped their shares of it when they confirmed a U3 without it. */
function selfSecretOf(position: number): Bytes {
  const draws = seededRandom(`cohort device ${position}`);
  draws(32);
  return draws(32);
}

function hkdf(secret: Bytes, salt: Bytes, domain: string, position: number): Bytes {
  const text = Buffer.from(domain);
  const info = Buffer.concat([
    Buffer.from([0, 0, 0, text.length]),
    text,
    Buffer.from([0, 0, 0, 4, 0, 0, 0, position]),
  ]);
  return new Uint8Array(hkdfSync("sha256", secret, salt, info, 32));
}

describe("fewer than t shares", () => {
  test("[S7] fit each of the 256 secrets of one byte equally often: t = 2, every polynomial", () => {
    for (const x of [1, 2, 77, 255]) {
      const seen = new Map<string, number>();
      for (let secret = 0; secret < 256; secret++) {
        for (let coefficient = 0; coefficient < 256; coefficient++) {
          const [share] = splitSecret(Uint8Array.of(secret), 2, [x, x === 1 ? 2 : 1], () =>
            Uint8Array.of(coefficient),
          );
          const pair = `${secret} ${(share as Bytes)[0]}`;
          seen.set(pair, (seen.get(pair) ?? 0) + 1);
        }
      }
      expect([seen.size, new Set(seen.values())]).toEqual([65_536, new Set([1])]);
    }
  });

  test("[S7] the same for two shares with t = 3, every polynomial", () => {
    // One call splits all 65,536 polynomials of a secret: byte i of the long secret has coefficients i >> 8 and i &
    // 255.
    const rows = 65_536;
    const coefficients = new Uint8Array(2 * rows);
    for (let i = 0; i < rows; i++) {
      coefficients[i] = i >>> 8;
      coefficients[rows + i] = i & 255;
    }
    for (const secret of [0, 1, 128, 255]) {
      const [first, second] = splitSecret(new Uint8Array(rows).fill(secret), 3, [3, 9, 200], () =>
        coefficients.slice(),
      ) as [Bytes, Bytes];
      const seen = new Set(Array.from(first, (byte, i) => 256 * byte + (second[i] as number)));
      expect(seen.size).toBe(rows);
    }
  });

  test("[S7] t shares fit one secret only (positive control)", () => {
    const secret = seededRandom("secret")(32);
    const shares = splitSecret(secret, 3, [1, 2, 3, 4], seededRandom("coefficients"));
    const basis = lagrangeBasisAtZero([1, 2, 4]);
    expect(combineShares(basis, [shares[0], shares[1], shares[3]] as Bytes[])).toEqual(secret);
    expect(combineShares(lagrangeBasisAtZero([1, 2]), shares.slice(0, 2))).not.toEqual(secret);
  });
});
