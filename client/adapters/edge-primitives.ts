import * as nodeCrypto from "node:crypto";
import { nodePrimitives } from "#shared/crypto/primitives-node.ts";
import { selectPrimitives } from "#shared/crypto/primitives-webcrypto.ts";
import type { Primitives } from "#shared/kernel/ports.ts";

/**
 * Of an edge: short work and key streams in this thread, signatures in WebCrypto's. Masks are the longest work: 100 of
 * 2^20 numbers hold the event loop for 0.1 s and would take 0.26 s of two threads of WebCrypto.
 */
export async function edgePrimitives(): Promise<Primitives> {
  const { hkdfSha256, openAes256CtrKeystream } = nodePrimitives(nodeCrypto, Buffer);
  return { ...(await selectPrimitives(crypto.subtle)), hkdfSha256, openAes256CtrKeystream };
}
