import * as nodeCrypto from "node:crypto";
import { nodePrimitives } from "#shared/crypto/primitives-node.ts";
import { selectPrimitives } from "#shared/crypto/primitives-webcrypto.ts";
import type { Primitives } from "#shared/kernel/ports.ts";

/** Of an edge: short work in this thread; signatures and key streams in WebCrypto's, beside the event loop. */
export async function edgePrimitives(): Promise<Primitives> {
  const { hkdfSha256 } = nodePrimitives(nodeCrypto, Buffer);
  return { ...(await selectPrimitives(crypto.subtle)), hkdfSha256 };
}
