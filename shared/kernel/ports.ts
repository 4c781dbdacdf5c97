import type { Bytes } from "./bytes.ts";
import type { Result } from "./result.ts";

/** Milliseconds that never go back, from an origin of the process's own. The only clock for deadlines. */
export interface MonotonicClock {
  nowMs(): number;
}

/** Wall-clock milliseconds since 1970, for records that people read; never for a deadline. */
export interface WallClock {
  nowUnixMs(): number;
}

/** Cryptographically secure random bytes. Any count is allowed: implementations split calls above 64 KiB. */
export type RandomBytes = (byteCount: number) => Bytes;

/**
 * The cryptographic primitives, implemented over WebCrypto, over Node and in plain JavaScript. All return the same bytes.
 * The identity key, which must not leave its store, signs through `Signer` instead.
 */
export interface Primitives {
  readonly name: "webcrypto" | "javascript" | "node";
  /** 32 bytes. FIPS 180-4. Has read `bytes` when it returns, so the caller may overwrite them while it waits. */
  sha256(bytes: Bytes): Promise<Bytes>;
  /** `byteCount` <= 8160 bytes. RFC 5869. */
  hkdfSha256(inputKey: Bytes, salt: Bytes, info: Bytes, byteCount: number): Promise<Bytes>;
  /** 32 bytes. RFC 7748 section 5. */
  x25519PublicKey(secretKey: Bytes): Promise<Bytes>;
  /** 32 bytes. Refuses an all-zero result. RFC 7748 section 6.1. */
  x25519(secretKey: Bytes, publicKey: Bytes): Promise<Result<Bytes, { readonly type: "low-order-point" }>>;
  /** Only the library's own check. Protocol code calls `verifySignature` of shared/crypto/signature.ts. */
  ed25519VerifyLoose(publicKey: Bytes, message: Bytes, signature: Bytes): Promise<boolean>;
  /**
   * Key stream of AES-256-CTR with a zero initial counter, starting at block `firstBlock` (16 bytes each).
   * SP 800-38A section 6.5.
   */
  aes256CtrKeystream(key: Bytes, firstBlock: number, byteCount: number): Promise<Bytes>;
  /** The same key stream, read piece by piece in the calling thread. Absent if the platform cannot encrypt there. */
  readonly openAes256CtrKeystream?: (key: Bytes, firstBlock: number) => Keystream;
}

export interface Keystream {
  /** Overwrites `into` with the next bytes of the stream. */
  read(into: Bytes): void;
}

/** A device's Ed25519 identity key. The secret half stays in its store if the platform can keep it there. */
export interface Signer {
  /** 32 bytes. */
  readonly publicKey: Bytes;
  /** 64 bytes over `message`, which is always an `E(...)`. */
  sign(message: Bytes): Promise<Bytes>;
}
