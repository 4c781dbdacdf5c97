import type { Bytes } from "../kernel/bytes.ts";

/** A key inside WebCrypto; opaque here. */
export interface SubtleKey {
  readonly type: string;
}

type KeyUse = "encrypt" | "deriveBits" | "sign" | "verify";

/**
 * The part of WebCrypto's SubtleCrypto that this folder calls; callers pass `globalThis.crypto.subtle`.
 * Declared here because `shared/` has no platform types. Source: W3C Web Cryptography Level 2.
 */
export interface SubtleLike {
  digest(algorithm: "SHA-256", data: Bytes): Promise<ArrayBuffer>;
  importKey(
    format: "raw" | "pkcs8",
    keyData: Bytes,
    algorithm: { name: string },
    extractable: boolean,
    keyUsages: KeyUse[],
  ): Promise<SubtleKey>;
  deriveBits(
    algorithm:
      | { name: "HKDF"; hash: "SHA-256"; salt: Bytes; info: Bytes }
      | { name: "X25519"; public: SubtleKey },
    baseKey: SubtleKey,
    bitCount: number,
  ): Promise<ArrayBuffer>;
  encrypt(
    algorithm: { name: "AES-CTR"; counter: Bytes; length: number },
    key: SubtleKey,
    data: Bytes,
  ): Promise<ArrayBuffer>;
  sign(algorithm: { name: "Ed25519" }, key: SubtleKey, data: Bytes): Promise<ArrayBuffer>;
  verify(algorithm: { name: "Ed25519" }, key: SubtleKey, signature: Bytes, data: Bytes): Promise<boolean>;
}

/** DER of a PKCS #8 `OneAsymmetricKey` up to the 32 secret bytes, for the two curves of RFC 8410 section 7. */
export const PKCS8_PREFIX = {
  // SEQUENCE(46), version 0, SEQUENCE { OID 1.3.101.110 | 1.3.101.112 }, OCTET STRING { OCTET STRING(32) }
  x25519: Uint8Array.of(48, 46, 2, 1, 0, 48, 5, 6, 3, 43, 101, 110, 4, 34, 4, 32),
  ed25519: Uint8Array.of(48, 46, 2, 1, 0, 48, 5, 6, 3, 43, 101, 112, 4, 34, 4, 32),
} as const;
