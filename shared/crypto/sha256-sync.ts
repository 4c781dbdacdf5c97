import { sha256 } from "@noble/hashes/sha2.js";
import type { Bytes } from "../kernel/bytes.ts";

/**
 * SHA-256 where nothing may wait: of public bytes in the round machine, of secrets to know a key object again. 32 bytes.
 *
 * Source: FIPS 180-4, by noble, without tables. Does not protect: an engine gives no promise about time.
 */
export function sha256Sync(bytes: Uint8Array): Bytes {
  return new Uint8Array(sha256(bytes));
}
