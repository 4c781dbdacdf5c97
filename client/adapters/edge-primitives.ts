import * as nodeCrypto from "node:crypto";
import { nodePrimitives } from "#shared/crypto/primitives-node.ts";
import { selectPrimitives } from "#shared/crypto/primitives-webcrypto.ts";
import type { Primitives } from "#shared/kernel/ports.ts";

/**
 * Of an edge: hashes, short work and key streams in this thread, signatures in WebCrypto's. A hash of 2 kB takes 5
 * microseconds of CPU here and 22 there, one of 400 kB 275 and 400. Masks are the longest work: 100 of 2^20 numbers hold
 * the event loop for 0.1 s and would take 0.26 s of two threads of WebCrypto.
 */
export async function edgePrimitives(): Promise<Primitives> {
  const { sha256, hkdfSha256, openAes256CtrKeystream } = nodePrimitives(nodeCrypto, Buffer);
  return { ...(await selectPrimitives(crypto.subtle)), sha256, hkdfSha256, openAes256CtrKeystream };
}
