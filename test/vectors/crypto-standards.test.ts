// Official vectors, run over all implementations of the primitives. Each table names its source.
import * as nodeCrypto from "node:crypto";
import { createCipheriv } from "node:crypto";
import { ctr } from "@noble/ciphers/aes.js";
import { describe, expect, test } from "vitest";
import { pairMaskKey } from "#shared/crypto/key-agreement.ts";
import { keystreamWords } from "#shared/crypto/mask-stream.ts";
import { javascriptPrimitives } from "#shared/crypto/primitives-javascript.ts";
import { nodePrimitives } from "#shared/crypto/primitives-node.ts";
import { webCryptoPrimitives } from "#shared/crypto/primitives-webcrypto.ts";
import { localSigner, verifySignature } from "#shared/crypto/signature.ts";
import { type Bytes, bytesToHex, hexToBytes, utf8 } from "#shared/kernel/bytes.ts";
import rfc8032Long from "./data/rfc8032-1024.json" with { type: "json" };
import secagg from "./data/secagg.json" with { type: "json" };

/** Sections F.5.5 and F.5.6 (CTR-AES256), all four blocks. */
const SP_800_38A = {
  key: hexToBytes("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4"),
  counter: hexToBytes("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff"),
  plaintext: hexToBytes(
    "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51" +
      "30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710",
  ),
  ciphertext:
    "601ec313775789a5b7a7f504bbf3d228f443e3ca4d62b59aca84e990cacaf5c5" +
    "2b0930daa23de94ce87017ba2d84988ddfc9c58db67aada613c2dd08457941a6",
};

function openssl(key: Bytes, counter: Bytes, text: Bytes): Bytes {
  return new Uint8Array(createCipheriv("aes-256-ctr", key, counter).update(text));
}

test("SP 800-38A F.5.5 and F.5.6 hold for the AES under each implementation, and for the tests' oracle", async () => {
  // The primitives start at counter zero, for which the document has no vector; these are the calls below them.
  const { key, counter, plaintext, ciphertext } = SP_800_38A;
  const imported = await crypto.subtle.importKey("raw", key, "AES-CTR", false, ["encrypt", "decrypt"]);
  const algorithm = { name: "AES-CTR", counter, length: 64 };
  const both = hexToBytes(ciphertext);
  expect(new Uint8Array(await crypto.subtle.encrypt(algorithm, imported, plaintext))).toEqual(both);
  expect(new Uint8Array(await crypto.subtle.decrypt(algorithm, imported, both))).toEqual(plaintext);
  expect(ctr(key, counter).encrypt(plaintext)).toEqual(both);
  expect(ctr(key, counter).decrypt(both)).toEqual(plaintext);
  expect(openssl(key, counter, plaintext)).toEqual(both);
});

const implementations = [
  webCryptoPrimitives(crypto.subtle),
  javascriptPrimitives(),
  nodePrimitives(nodeCrypto, Buffer),
];

describe.each(implementations)("$name", (primitives) => {
  test("SHA-256 of FIPS 180-4's examples", async () => {
    // csrc.nist.gov, SHA256.pdf: "abc", the 56-byte message; and one million "a" (FIPS 180-2 B.3).
    const cases: [Bytes, string][] = [
      [utf8(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"],
      [utf8("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"],
      [
        utf8("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
      ],
      [
        new Uint8Array(1_000_000).fill(0x61),
        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0",
      ],
    ];
    for (const [message, digest] of cases) {
      expect(bytesToHex(await primitives.sha256(message))).toBe(digest);
    }
  });

  test("HKDF-SHA-256 of RFC 5869 appendix A.1 to A.3 (the others use SHA-1)", async () => {
    const range = (from: number, to: number) =>
      Uint8Array.from({ length: to - from + 1 }, (_, index) => from + index);
    const cases: [Bytes, Bytes, Bytes, number, string][] = [
      [
        new Uint8Array(22).fill(0x0b),
        range(0, 12),
        range(0xf0, 0xf9),
        42,
        "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
      ],
      [
        range(0x00, 0x4f),
        range(0x60, 0xaf),
        range(0xb0, 0xff),
        82,
        "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87",
      ],
      [
        new Uint8Array(22).fill(0x0b),
        new Uint8Array(0),
        new Uint8Array(0),
        42,
        "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8",
      ],
    ];
    for (const [inputKey, salt, info, byteCount, expected] of cases) {
      expect(bytesToHex(await primitives.hkdfSha256(inputKey, salt, info, byteCount))).toBe(expected);
    }
  });

  test("X25519 of RFC 7748 sections 5.2 and 6.1", async () => {
    const products = [
      [
        "a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
        "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c",
        "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552",
      ],
      [
        "4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d",
        "e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493",
        "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957",
      ],
      [
        "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a",
        "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f",
        "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742",
      ],
    ] as const;
    for (const [secret, point, product] of products) {
      const result = await primitives.x25519(hexToBytes(secret), hexToBytes(point));
      expect(result.ok && bytesToHex(result.value)).toBe(product);
    }
    const alice = hexToBytes("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a");
    expect(bytesToHex(await primitives.x25519PublicKey(alice))).toBe(
      "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a",
    );
    const bob = hexToBytes("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb");
    expect(bytesToHex(await primitives.x25519PublicKey(bob))).toBe(
      "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f",
    );
  });

  test("X25519 of RFC 7748 section 5.2, iterated a thousand times", async () => {
    // The RFC also gives the result after a million iterations; that takes minutes and adds nothing to Wycheproof.
    const expected: Readonly<Record<number, string>> = {
      1: "422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079",
      1000: "684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51",
    };
    let scalar: Bytes = hexToBytes(`09${"00".repeat(31)}`);
    let point: Bytes = scalar;
    for (let iteration = 1; iteration <= 1000; iteration++) {
      const result = await primitives.x25519(scalar, point);
      if (!result.ok) throw new Error("low order");
      point = scalar;
      scalar = result.value;
      const known = expected[iteration];
      if (known !== undefined) expect(bytesToHex(scalar)).toBe(known);
    }
  });

  test.each([
    // The points of order 1, 2, 4 and 8 in Montgomery form, and their non-canonical twins (p, p + 1, p - 1).
    ["0", "0000000000000000000000000000000000000000000000000000000000000000"],
    ["1", "0100000000000000000000000000000000000000000000000000000000000000"],
    ["order 8", "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"],
    ["order 8", "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157"],
    ["p - 1", "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"],
    ["p", "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"],
    ["p + 1", "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"],
  ])("refuses the X25519 point of low order %s", async (_, point) => {
    const result = await primitives.x25519(new Uint8Array(32).fill(0x42), hexToBytes(point));
    expect(result).toEqual({ ok: false, error: { type: "low-order-point" } });
  });

  test("refuses X25519 keys of another length", async () => {
    const result = await primitives.x25519(new Uint8Array(32).fill(1), new Uint8Array(31).fill(9));
    expect(result.ok).toBe(false);
  });

  test("AES-256-CTR from a zero counter: blocks 0, 1, 2 as in GCM test cases 13 and 14", async () => {
    // McGrew and Viega, "The Galois/Counter Mode of Operation", appendix B: zero key; H is block 0, the tag of
    // case 13 is block 1, the ciphertext of case 14 is block 2.
    const blocks = [
      "dc95c078a2408989ad48a21492842087",
      "530f8afbc74536b9a963b4f1c4cb738b",
      "cea7403d4d606b6e074ec5d3baf39d18",
    ];
    const key = new Uint8Array(32);
    expect(bytesToHex(await primitives.aes256CtrKeystream(key, 0, 48))).toBe(blocks.join(""));
    expect(bytesToHex(await primitives.aes256CtrKeystream(key, 2, 16))).toBe(blocks[2]);
  });

  test("AES-256-CTR at any block against OpenSSL", async () => {
    for (const firstBlock of [0, 1, 255, 2 ** 32 - 1, 2 ** 32, 2 ** 45 + 7]) {
      const counter = hexToBytes(firstBlock.toString(16).padStart(32, "0"));
      const expected = openssl(SP_800_38A.key, counter, new Uint8Array(100));
      expect(await primitives.aes256CtrKeystream(SP_800_38A.key, firstBlock, 100)).toEqual(expected);
    }
  });

  test("the protocol's pair mask: key and first words", async () => {
    for (const vector of secagg.vectors) {
      const [u, v] = vector.pair as [number, number];
      const sid = hexToBytes(vector.sidHex);
      const key = await pairMaskKey(primitives, hexToBytes(vector.sharedSecretHex), sid, u, v);
      expect(bytesToHex(key)).toBe(vector.maskKeyHex);
      const mirrored = await pairMaskKey(primitives, hexToBytes(vector.sharedSecretHex), sid, v, u);
      expect(mirrored).toEqual(key);
      const words = await keystreamWords(primitives, key, 0, vector.firstMaskWordsHex.length);
      expect([...words].map((word) => word.toString(16).padStart(8, "0"))).toEqual(vector.firstMaskWordsHex);
    }
  });

  test.each([
    // RFC 8032 section 7.1: tests 1, 2, 3, 1024 and SHA(abc), which is all of it.
    rfc8032Long,
    {
      seed: "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
      publicKey: "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
      message: "",
      signature:
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    },
    {
      seed: "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
      publicKey: "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
      message: "72",
      signature:
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    },
    {
      seed: "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
      publicKey: "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
      message: "af82",
      signature:
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    },
    {
      seed: "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
      publicKey: "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
      message:
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
      signature:
        "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704",
    },
  ])("Ed25519 of RFC 8032, public key $publicKey", async ({ seed, publicKey, message, signature }) => {
    for (const signer of [localSigner(hexToBytes(seed)), localSigner(hexToBytes(seed), crypto.subtle)]) {
      expect(bytesToHex(signer.publicKey)).toBe(publicKey);
      expect(bytesToHex(await signer.sign(hexToBytes(message)))).toBe(signature);
    }
    const [key, text, good] = [hexToBytes(publicKey), hexToBytes(message), hexToBytes(signature)];
    expect(await verifySignature(primitives, key, text, good)).toBe(true);
    for (const index of [0, 31, 32, 63]) {
      const bad = good.slice();
      bad[index] = (bad[index] as number) ^ 1;
      expect(await verifySignature(primitives, key, text, bad)).toBe(false);
    }
  });
});
