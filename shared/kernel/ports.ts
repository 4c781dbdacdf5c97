import type { Bytes } from "./bytes.ts";
import type { Result } from "./result.ts";

/** Milliseconds that never step back; the origin is the process's own. Deadlines use nothing else. */
export interface MonotonicClock {
  nowMs(): number;
}

/** Wall-clock milliseconds since 1970, for records that people read; never for a deadline. */
export interface WallClock {
  nowUnixMs(): number;
}

/** Cryptographically secure random bytes; any count (implementations cut calls of over 64 KiB). */
export type RandomBytes = (byteCount: number) => Bytes;

/**
 * The cryptographic primitives, implementations over WebCrypto, over Node and in plain JavaScript. Same bytes from all.
 * Keys that must not leave their store (the identity) sign through `Signer` instead.
 */
export interface Primitives {
  readonly name: "webcrypto" | "javascript" | "node";
  /** 32 bytes. FIPS 180-4. */
  sha256(bytes: Bytes): Promise<Bytes>;
  /** `byteCount` <= 8160 bytes. RFC 5869. */
  hkdfSha256(inputKey: Bytes, salt: Bytes, info: Bytes, byteCount: number): Promise<Bytes>;
  /** 32 bytes. RFC 7748 section 5. */
  x25519PublicKey(secretKey: Bytes): Promise<Bytes>;
  /** 32 bytes; an all-zero result is refused. RFC 7748 section 6.1. */
  x25519(secretKey: Bytes, publicKey: Bytes): Promise<Result<Bytes, { readonly type: "low-order-point" }>>;
  /** The library's own check only; protocol code calls `verifySignature` of shared/crypto/signature.ts. */
  ed25519VerifyLoose(publicKey: Bytes, message: Bytes, signature: Bytes): Promise<boolean>;
  /**
   * Key stream of AES-256-CTR with a zero initial counter, from block `firstBlock` (16 bytes each) on.
   * SP 800-38A section 6.5.
   */
  aes256CtrKeystream(key: Bytes, firstBlock: number, byteCount: number): Promise<Bytes>;
  /** The same key stream to be read on from `firstBlock`, in the calling thread; absent if the platform has only threads. */
  readonly openAes256CtrKeystream?: (key: Bytes, firstBlock: number) => Keystream;
}

export interface Keystream {
  /** Overwrites `into` with the next bytes of the stream. */
  read(into: Bytes): void;
}

/** The identity key of a device: Ed25519; the secret half stays in its store where the platform can keep it. */
export interface Signer {
  /** 32 bytes. */
  readonly publicKey: Bytes;
  /** 64 bytes over `message`, which is always an `E(...)`. */
  sign(message: Bytes): Promise<Bytes>;
}
