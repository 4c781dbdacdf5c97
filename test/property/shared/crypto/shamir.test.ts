import fc from "fast-check";
import { combine, split } from "shamir-secret-sharing";
import { describe, expect, test } from "vitest";
import {
  combineShares,
  fieldFor,
  GF_256,
  GF_65536,
  lagrangeBasisAtZero,
  splitSecret,
} from "#shared/crypto/shamir.ts";
import { AssertionFault } from "#shared/kernel/assert.ts";
import { type Bytes, concatBytes } from "#shared/kernel/bytes.ts";

const random = (byteCount: number) => crypto.getRandomValues(new Uint8Array(byteCount));

/** A sharing: a secret, distinct x, a threshold, and the order in which holders answer. */
const sharing = fc
  .record({
    secret: fc.uint8Array({ minLength: 1, maxLength: 40 }),
    xs: fc.uniqueArray(fc.integer({ min: 1, max: 255 }), { minLength: 2, maxLength: 40 }),
  })
  .chain(({ secret, xs }) =>
    fc.record({
      secret: fc.constant(secret),
      xs: fc.constant(xs),
      threshold: fc.integer({ min: 2, max: xs.length }),
      order: fc.shuffledSubarray(
        xs.map((_, index) => index),
        { minLength: xs.length, maxLength: xs.length },
      ),
    }),
  );

describe("Shamir over GF(256)", () => {
  test("any threshold of the shares rebuilds the secret", () => {
    fc.assert(
      fc.property(sharing, ({ secret, xs, threshold, order }) => {
        const shares = splitSecret(secret, threshold, xs, random);
        const chosen = order.slice(0, threshold);
        const basis = lagrangeBasisAtZero(chosen.map((index) => xs[index] as number));
        const rebuilt = combineShares(
          basis,
          chosen.map((index) => shares[index] as Bytes),
        );
        expect(rebuilt).toEqual(secret);
      }),
    );
  });

  test("the audited package combines our shares (it keeps x as the last byte)", async () => {
    await fc.assert(
      fc.asyncProperty(sharing, async ({ secret, xs, threshold, order }) => {
        const shares = splitSecret(secret, threshold, xs, random);
        const theirs = order
          .slice(0, threshold)
          .map((index) => concatBytes([shares[index] as Bytes, Uint8Array.of(xs[index] as number)]));
        expect(new Uint8Array(await combine(theirs))).toEqual(new Uint8Array(secret));
      }),
      { numRuns: 50 },
    );
  });

  test("we combine the audited package's shares", async () => {
    await fc.assert(
      fc.asyncProperty(sharing, async ({ secret, xs, threshold, order }) => {
        const theirs = await split(new Uint8Array(secret), xs.length, threshold);
        const chosen = order.slice(0, threshold).map((index) => theirs[index] as Uint8Array);
        const basis = lagrangeBasisAtZero(chosen.map((share) => share.at(-1) as number));
        expect(
          combineShares(
            basis,
            chosen.map((share) => share.slice(0, -1)),
          ),
        ).toEqual(new Uint8Array(secret));
      }),
      { numRuns: 50 },
    );
  });

  test("[S7] fewer shares than the threshold fit every secret, counted exhaustively on one byte", () => {
    // Threshold 2: over all 256 coefficients one share takes each value once, whatever the secret.
    for (const secret of [0, 1, 77, 255]) {
      const seen = new Set<number>();
      for (let coefficient = 0; coefficient < 256; coefficient++) {
        const [share] = splitSecret(Uint8Array.of(secret), 2, [9, 200], () => Uint8Array.of(coefficient));
        seen.add((share as Bytes)[0] as number);
      }
      expect(seen.size).toBe(256);
    }
  });

  test("[S7] two shares below a threshold of 3 take each pair of values once, whatever the secret", () => {
    for (const secret of [0, 143]) {
      const seen = new Set<number>();
      for (let coefficients = 0; coefficients < 65536; coefficients++) {
        const shares = splitSecret(Uint8Array.of(secret), 3, [1, 2, 3], () =>
          Uint8Array.of(coefficients & 255, coefficients >>> 8),
        );
        const [first, second] = shares as [Bytes, Bytes];
        seen.add((first[0] as number) * 256 + (second[0] as number));
      }
      expect(seen.size).toBe(65536);
    }
  });

  test("the field: products equal the carry-less product reduced by 0x11b, for all 65,536 pairs", () => {
    const oracle = (a: number, b: number) => {
      let product = 0;
      for (let bit = 0; bit < 8; bit++) if ((b >> bit) & 1) product ^= a << bit;
      for (let bit = 14; bit >= 8; bit--) if ((product >> bit) & 1) product ^= 0x11b << (bit - 8);
      return product;
    };
    // With one coefficient c and secret 0, the share at x is c x.
    for (let x = 1; x < 256; x++) {
      const all = Uint8Array.from({ length: 256 }, (_, c) => c);
      const [share] = splitSecret(new Uint8Array(256), 2, [x, x === 255 ? 1 : x + 1], () => all.slice());
      expect(share).toEqual(all.map((c) => oracle(c, x)));
    }
  });

  test("255 holders with threshold 255; a threshold of 1 hands out the secret itself", () => {
    const xs = Array.from({ length: 255 }, (_, index) => index + 1);
    const secret = random(32);
    expect(combineShares(lagrangeBasisAtZero(xs), splitSecret(secret, 255, xs, random))).toEqual(secret);
    expect(splitSecret(secret, 1, [5, 6], random)).toEqual([secret, secret]);
  });

  test("[S9] one wrong share spoils the secret, so shares must be checked first", () => {
    const secret = random(32);
    const xs = [1, 2, 3];
    const shares = splitSecret(secret, 3, xs, random);
    (shares[1] as Bytes)[0] = ((shares[1] as Bytes)[0] as number) ^ 1;
    expect(combineShares(lagrangeBasisAtZero(xs), shares)).not.toEqual(secret);
  });

  test.each([
    ["x = 0", [0, 1], 2],
    ["equal x", [3, 3], 2],
    ["x = 256", [1, 256], 2],
    ["a threshold above the holders", [1, 2], 3],
    ["a threshold of 0", [1, 2], 0],
    ["no holders", [], 1],
  ] as const)("is a fault with %s", (_, xs, threshold) => {
    expect(() => splitSecret(Uint8Array.of(1), threshold, xs, random)).toThrow(AssertionFault);
  });

  test("a random source that returns too little is a fault", () => {
    expect(() => splitSecret(Uint8Array.of(1), 2, [1, 2], () => new Uint8Array(0))).toThrow(AssertionFault);
  });
});

/** Schoolbook: the carry-less product, then long division by x^16 + x^12 + x^3 + x + 1. */
function productIn65536(a: number, b: number): number {
  let product = 0n;
  for (let bit = 0; bit < 16; bit++) if ((b >> bit) & 1) product ^= BigInt(a) << BigInt(bit);
  for (let bit = 31; bit >= 16; bit--) {
    if ((product >> BigInt(bit)) & 1n) product ^= 0x1100bn << BigInt(bit - 16);
  }
  return Number(product);
}

describe("Shamir over GF(2^16)", () => {
  const wide = fc
    .record({
      secret: fc.uint8Array({ minLength: 1, maxLength: 20 }).map((half) => concatBytes([half, half])),
      xs: fc.uniqueArray(fc.integer({ min: 1, max: 65_535 }), { minLength: 2, maxLength: 30 }),
    })
    .chain(({ secret, xs }) =>
      fc.record({
        secret: fc.constant(secret),
        xs: fc.constant(xs),
        threshold: fc.integer({ min: 2, max: xs.length }),
        order: fc.shuffledSubarray(
          xs.map((_, index) => index),
          { minLength: xs.length, maxLength: xs.length },
        ),
      }),
    );

  test("any threshold of the shares rebuilds the secret", () => {
    fc.assert(
      fc.property(wide, ({ secret, xs, threshold, order }) => {
        const shares = splitSecret(secret, threshold, xs, random, GF_65536);
        const chosen = order.slice(0, threshold);
        const basis = lagrangeBasisAtZero(
          chosen.map((index) => xs[index] as number),
          GF_65536,
        );
        const rebuilt = combineShares(
          basis,
          chosen.map((index) => shares[index] as Bytes),
        );
        expect(rebuilt).toEqual(secret);
      }),
    );
  });

  test("the field: a share with one coefficient is its schoolbook product with x, on big-endian pairs", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 65_535 }), fc.integer({ min: 1, max: 65_534 }), (c, x) => {
        const pair = Uint8Array.of(c >>> 8, c & 255);
        const [share] = splitSecret(new Uint8Array(2), 2, [x, x + 1], () => pair.slice(), GF_65536);
        const product = productIn65536(c, x);
        expect(share).toEqual(Uint8Array.of(product >>> 8, product & 255));
      }),
      { numRuns: 2_000 },
    );
  });

  test("the polynomial is irreducible: the powers of x come back to 1 after a divisor of 2^16 - 1, never to 0", () => {
    let power = 1;
    let order = 0;
    do {
      power = productIn65536(power, 2);
      order++;
    } while (power !== 1 && order < 65_535);
    // The order has every prime factor of 65,535 = 3 x 5 x 17 x 257: x generates the whole group.
    expect(order).toBe(65_535);
  });

  test("[S7] a share below the threshold takes each of the 65,536 values once, whatever the secret", () => {
    for (const secret of [0, 40_077]) {
      const pair = Uint8Array.of(secret >>> 8, secret & 255);
      const seen = new Set<number>();
      for (let coefficient = 0; coefficient < 65_536; coefficient++) {
        const [share] = splitSecret(
          pair,
          2,
          [300, 999],
          () => Uint8Array.of(coefficient >>> 8, coefficient & 255),
          GF_65536,
        );
        seen.add(((share as Bytes)[0] as number) * 256 + ((share as Bytes)[1] as number));
      }
      expect(seen.size).toBe(65_536);
    }
  });

  test("500 holders, threshold 334: the first, the last and a mixed third rebuild the secret; one share fewer does not", () => {
    const xs = Array.from({ length: 500 }, (_, index) => index + 1);
    const secret = random(32);
    const shares = splitSecret(secret, 334, xs, random, fieldFor(500));
    const rebuild = (chosen: readonly number[]) =>
      combineShares(
        lagrangeBasisAtZero(chosen, fieldFor(500)),
        chosen.map((x) => shares[x - 1] as Bytes),
      );
    expect(rebuild(xs.slice(0, 334))).toEqual(secret);
    expect(rebuild(xs.slice(-334))).toEqual(secret);
    expect(rebuild(xs.filter((x) => x % 3 !== 0))).toEqual(secret);
    expect(rebuild(xs.slice(0, 333))).not.toEqual(secret);
  });

  test("255 holders are the last of the small field; an odd secret and x = 65,536 are faults", () => {
    expect([fieldFor(1), fieldFor(255), fieldFor(256)]).toEqual([GF_256, GF_256, GF_65536]);
    expect(() => splitSecret(Uint8Array.of(1), 2, [1, 2], random, GF_65536)).toThrow(AssertionFault);
    expect(() => splitSecret(new Uint8Array(2), 2, [1, 65_536], random, GF_65536)).toThrow(AssertionFault);
  });
});
