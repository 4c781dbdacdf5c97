import { sha256 } from "@noble/hashes/sha2.js";
import type { Bytes } from "../kernel/bytes.ts";

/** SHA-256 of public bytes where nothing may wait: in the round machine. 32 bytes. FIPS 180-4. */
export function sha256Sync(bytes: Uint8Array): Bytes {
  return new Uint8Array(sha256(bytes));
}
