import { ctr } from "@noble/ciphers/aes.js";
import type { Bytes } from "../kernel/bytes.ts";

/**
 * AES-256-CTR over zeros from a zero counter where nothing may wait: in the round machine. For streams that are public;
 * the masks come from `Primitives`. SP 800-38A.
 */
export function aes256CtrKeystreamSync(key: Bytes, byteCount: number): Bytes {
  return new Uint8Array(ctr(key, new Uint8Array(16)).encrypt(new Uint8Array(byteCount)));
}
