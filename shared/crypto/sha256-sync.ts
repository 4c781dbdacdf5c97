import { sha256 } from "@noble/hashes/sha2.js";
import { type Bytes, bytesToHex } from "../kernel/bytes.ts";

/**
 * SHA-256, 32 bytes, for code that must not wait: the round machine hashes public bytes, the key cache secrets.
 *
 * Source: FIPS 180-4, by noble, without tables. Does not guarantee constant time: no JavaScript engine does.
 */
export function sha256Sync(bytes: Uint8Array): Bytes {
  return new Uint8Array(sha256(bytes));
}

/** A digest of bytes that come in pieces. */
export function sha256Stream(): { update(bytes: Uint8Array): void; hex(): string } {
  const hash = sha256.create();
  return { update: (bytes) => void hash.update(bytes), hex: () => bytesToHex(new Uint8Array(hash.digest())) };
}
