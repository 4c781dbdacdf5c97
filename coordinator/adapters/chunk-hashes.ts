import * as nodeCrypto from "node:crypto";
import { readSync } from "node:fs";
import { buildMerkleTree, LEAF_PREFIX } from "#shared/crypto/merkle.ts";
import { nodePrimitives } from "#shared/crypto/primitives-node.ts";
import { type Bytes, bytesToHex } from "#shared/kernel/bytes.ts";

/* Reads and hashes files chunk by chunk, for worker threads. Everything runs in the calling thread. */

/** Three times as fast in a worker as WebCrypto (100 masks of 2^20 numbers, Node 24.21). */
export const primitives = nodePrimitives(nodeCrypto, Buffer);

/** SHA-256. As a text on its way: making a Buffer of a hash takes longer than a short hash. */
export function hashNow(bytes: Uint8Array): Uint8Array {
  return Buffer.from(nodeCrypto.hash("sha256", bytes, "binary"), "latin1");
}

/** Fills `target` from `position`. @returns False if the file ends too early. */
export function readFully(handle: number, target: Uint8Array, position: number): boolean {
  for (let offset = 0; offset < target.length; ) {
    const count = readSync(handle, target, offset, target.length - offset, position + offset);
    if (count === 0) return false;
    offset += count;
  }
  return true;
}

/** Hash of one chunk; see `buildMerkleTree`. */
export function leafHash(chunk: Uint8Array): Buffer {
  return nodeCrypto.createHash("sha256").update(LEAF_PREFIX).update(chunk).digest();
}

/** Merkle root in hex. */
export async function rootOf(leaves: readonly Bytes[]): Promise<string> {
  return bytesToHex((await buildMerkleTree(primitives, leaves)).root);
}
