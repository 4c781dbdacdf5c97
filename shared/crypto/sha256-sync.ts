import { sha256 } from "@noble/hashes/sha2.js";
import type { Bytes } from "../kernel/bytes.ts";

/**
 * SHA-256, 32 bytes, for code that must not wait: the round machine hashes public bytes, the key cache secrets.
 *
 * Source: FIPS 180-4, by noble, without tables. Does not guarantee constant time: no JavaScript engine does.
 */
export function sha256Sync(bytes: Uint8Array): Bytes {
  return new Uint8Array(sha256(bytes));
}
