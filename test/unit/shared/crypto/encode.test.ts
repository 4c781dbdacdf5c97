import { describe, expect, test } from "vitest";
import { open, SEAL_OVERHEAD_BYTES, seal } from "#shared/crypto/aead.ts";
import { bCommit, sessionId, setHash, shareCommit } from "#shared/crypto/commitments.ts";
import { DOMAINS } from "#shared/crypto/domains.ts";
import { E } from "#shared/crypto/encode.ts";
import {
  freshKeyPair,
  maskKeyPairFromSeed,
  pairMaskKey,
  pairMaskSign,
  selfMaskKey,
  shareEncryptionKey,
} from "#shared/crypto/key-agreement.ts";
import { bitmapToPositions, positionsToBitmap } from "#shared/crypto/position-set.ts";
import { javascriptPrimitives } from "#shared/crypto/primitives-javascript.ts";
import { selectPrimitives, webCryptoPrimitives } from "#shared/crypto/primitives-webcrypto.ts";
import type { SubtleLike } from "#shared/crypto/subtle-like.ts";
import { AssertionFault } from "#shared/kernel/assert.ts";
import { bytesToHex, hexToBytes, utf8 } from "#shared/kernel/bytes.ts";
import { positionNo } from "#test/kit/places.ts";

const primitives = webCryptoPrimitives(crypto.subtle);
const random = (byteCount: number) => crypto.getRandomValues(new Uint8Array(byteCount));

describe("E", () => {
  test("prefixes each item with its length, by hand", () => {
    expect(bytesToHex(E(DOMAINS.sKey, Uint8Array.of(9, 8), "é", 258))).toBe(
      "0000000e" +
        Buffer.from("chorus/1/s-key").toString("hex") +
        "000000020908" +
        "00000002c3a9" +
        "0000000400000102",
    );
  });

  test("[S5] no two domains are equal, and moving a boundary changes the bytes", () => {
    const domains = Object.values(DOMAINS);
    expect(new Set(domains).size).toBe(domains.length);
    for (const domain of domains) expect(domain).toMatch(/^chorus\/1\/[a-z-]+$/);
    expect(E(DOMAINS.share, "ab", "c")).not.toEqual(E(DOMAINS.share, "a", "bc"));
    expect(E(DOMAINS.share, "abc")).not.toEqual(E(DOMAINS.share, "abc", ""));
  });

  test.each([-1, 0.5, 2 ** 32, Number.NaN])("refuses the number %d", (value) => {
    expect(() => E(DOMAINS.share, value)).toThrow(AssertionFault);
  });
});

describe("position sets", () => {
  test("position p is bit (p - 1) mod 8 of byte floor((p - 1) / 8)", () => {
    expect([...positionsToBitmap([positionNo(1), positionNo(8), positionNo(9), positionNo(10)], 10)]).toEqual(
      [0b10000001, 0b11],
    );
    expect(bitmapToPositions(Uint8Array.of(0b10000001, 0b11), 10)).toEqual({
      ok: true,
      value: [1, 8, 9, 10],
    });
  });

  test("[S5] a bitmap with padding bits set or of another length is refused", () => {
    expect(bitmapToPositions(Uint8Array.of(0, 0b100), 10)).toEqual({ ok: false, error: { type: "padding" } });
    expect(bitmapToPositions(Uint8Array.of(0), 10)).toEqual({ ok: false, error: { type: "wrong-length" } });
    expect(bitmapToPositions(Uint8Array.of(0, 0, 0), 10)).toEqual({
      ok: false,
      error: { type: "wrong-length" },
    });
  });

  test("every set of a roster of 9 survives encoding", () => {
    for (let set = 0; set < 512; set++) {
      const positions = [1, 2, 3, 4, 5, 6, 7, 8, 9].filter((p) => (set >> (p - 1)) & 1);
      expect(bitmapToPositions(positionsToBitmap(positions.map(positionNo), 9), 9)).toEqual({
        ok: true,
        value: positions,
      });
    }
  });

  test("positions outside the roster are a fault of the caller", () => {
    expect(() => positionsToBitmap([positionNo(11)], 10)).toThrow(AssertionFault);
    expect(() => positionsToBitmap([positionNo(0)], 10)).toThrow(AssertionFault);
  });
});

describe("sealed shares", () => {
  const key = random(32);
  const nonce = random(24);
  const plaintext = utf8("a share");

  test("open to what was sealed", () => {
    const sealed = seal(key, nonce, plaintext);
    expect(sealed.length).toBe(plaintext.length + SEAL_OVERHEAD_BYTES);
    expect(open(key, sealed)).toEqual({ ok: true, value: plaintext });
  });

  test("[S5] refuse every flipped byte, a truncated text and another key", () => {
    const sealed = seal(key, nonce, plaintext);
    const refused = { ok: false, error: { type: "not-authentic" } };
    for (let index = 0; index < sealed.length; index++) {
      const bad = sealed.slice();
      bad[index] = (bad[index] as number) ^ 0x10;
      expect(open(key, bad)).toEqual(refused);
    }
    for (let length = 0; length < sealed.length; length++) {
      expect(open(key, sealed.slice(0, length))).toEqual(refused);
    }
    expect(open(random(32), sealed)).toEqual(refused);
  });

  test("known answer of NaCl (Bernstein, secretbox test of the NaCl distribution)", () => {
    const naclKey = hexToBytes("1b27556473e985d462cd51197a9a46c76009549eac6474f206c4ee0844f68389");
    const naclNonce = hexToBytes("69696ee955b62b73cd62bda875fc73d68219e0036b7a0b37");
    const message = hexToBytes(
      "be075fc53c81f2d5cf141316ebeb0c7b5228c52a4c62cbd44b66849b64244ffce5ecbaaf33bd751a1ac728d45e6c61296cdc3c01233561f41db66cce314adb310e3be8250c46f06dceea3a7fa1348057e2f6556ad6b1318a024a838f21af1fde048977eb48f59ffd4924ca1c60902e52f0a089bc76897040e082f937763848645e0705",
    );
    const box =
      "f3ffc7703f9400e52a7dfb4b3d3305d98e993b9f48681273c29650ba32fc76ce48332ea7164d96a4476fb8c531a1186ac0dfc17c98dce87b4da7f011ec48c97271d2c20f9b928fe2270d6fb863d51738b48eeee314a7cc8ab932164548e526ae90224368517acfeabd6bb3732bc0e9da99832b61ca01b6de56244a9e88d5f9b37973f622a43d14a6599b1f654cb45a74e355a5";
    expect(bytesToHex(seal(naclKey, naclNonce, message))).toBe(bytesToHex(naclNonce) + box);
  });
});

describe("keys", () => {
  const sid = random(32);

  test("both ends of a pair derive the same key, and all derived keys differ", async () => {
    const alice = await maskKeyPairFromSeed(primitives, random(32));
    const bob = await maskKeyPairFromSeed(primitives, random(32));
    const [ab, ba] = [
      await primitives.x25519(alice.secretKey, bob.publicKey),
      await primitives.x25519(bob.secretKey, alice.publicKey),
    ];
    if (!ab.ok || !ba.ok) throw new Error("honest keys agree");
    expect(ab.value).toEqual(ba.value);
    const keys = [
      await pairMaskKey(primitives, ab.value, sid, 1, 2),
      await pairMaskKey(primitives, ab.value, sid, 1, 3),
      await pairMaskKey(primitives, ab.value, random(32), 1, 2),
      await shareEncryptionKey(primitives, ab.value, sid, 1, 2),
      await shareEncryptionKey(primitives, ab.value, sid, 2, 1),
      await selfMaskKey(primitives, ab.value, sid, 1),
    ].map(bytesToHex);
    expect(new Set(keys).size).toBe(keys.length);
    expect(await pairMaskKey(primitives, ba.value, sid, 2, 1)).toEqual(hexToBytes(keys[0] as string));
  });

  test("pair masks cancel: the two ends have opposite signs", () => {
    expect(pairMaskSign(2, 1)).toBe(1);
    expect(pairMaskSign(1, 2)).toBe(-1);
    expect(() => pairMaskSign(2, 2)).toThrow(AssertionFault);
  });

  test("a fresh pair takes its secret from the random source", async () => {
    const secret = random(32);
    const pair = await freshKeyPair(primitives, () => secret.slice());
    expect(pair.secretKey).toEqual(secret);
    expect(pair.publicKey).toEqual(await javascriptPrimitives().x25519PublicKey(secret));
    await expect(freshKeyPair(primitives, () => new Uint8Array(31))).rejects.toThrow(AssertionFault);
  });

  test("commitments are SHA-256 of their encodings, each under its own domain", async () => {
    const [key, b, share] = [random(32), random(32), random(32)];
    const expected = (encoded: Uint8Array) => crypto.subtle.digest("SHA-256", new Uint8Array(encoded));
    const hash = async (encoded: Uint8Array) => new Uint8Array(await expected(encoded));
    expect(await bCommit(primitives, key, b)).toEqual(await hash(E("chorus/1/b-commit", key, b)));
    expect(await setHash(primitives, sid, Uint8Array.of(7))).toEqual(
      await hash(E("chorus/1/set", sid, Uint8Array.of(7))),
    );
    expect(await sessionId(primitives, key, [b, share])).toEqual(
      await hash(E("chorus/1/sid", key, b, share)),
    );
    const commits = [
      await shareCommit(primitives, "z", sid, 1, 2, share),
      await shareCommit(primitives, "b", sid, 1, 2, share),
      await shareCommit(primitives, "z", sid, 2, 1, share),
    ];
    expect(commits[0]).toEqual(await hash(E("chorus/1/z-share-commit", sid, 1, 2, share)));
    expect(new Set(commits.map(bytesToHex)).size).toBe(3);
  });
});

describe("choosing primitives", () => {
  test("WebCrypto if it is complete, JavaScript if there is none", async () => {
    expect((await selectPrimitives(crypto.subtle)).name).toBe("webcrypto");
    expect((await selectPrimitives(undefined)).name).toBe("javascript");
  });

  test("a browser without Curve25519 gets that from JavaScript and the rest from WebCrypto", async () => {
    const real: SubtleLike = crypto.subtle;
    const refused: string[] = [];
    const older: SubtleLike = {
      digest: (...args) => real.digest(...args),
      deriveBits: (...args) => real.deriveBits(...args),
      encrypt: (...args) => real.encrypt(...args),
      sign: (...args) => real.sign(...args),
      verify: (...args) => real.verify(...args),
      importKey: async (...args) => {
        if (args[2].name.endsWith("25519")) {
          refused.push(args[2].name);
          throw new DOMException("unsupported", "NotSupportedError");
        }
        return real.importKey(...args);
      },
    };
    const mixed = await selectPrimitives(older);
    expect(refused.length).toBeGreaterThan(0);
    const secret = random(32);
    expect(await mixed.x25519PublicKey(secret)).toEqual(await primitives.x25519PublicKey(secret));
    expect(await mixed.aes256CtrKeystream(secret, 0, 64)).toEqual(
      await primitives.aes256CtrKeystream(secret, 0, 64),
    );
  });
});
