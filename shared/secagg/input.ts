import { chunkTree } from "../codec/vector-bytes.ts";
import { merkleLeafHash } from "../crypto/merkle.ts";
import type { Bytes } from "../kernel/bytes.ts";
import type { Primitives } from "../kernel/ports.ts";

/** What a device signs for the bytes of its masked input: the root over their 64-KiB chunks. */
export async function inputRoot(primitives: Primitives, body: Bytes): Promise<Bytes> {
  return (await chunkTree(primitives, body)).root;
}

/** RFC 6962 leaf of a survivor in the tree whose root the outcome states: leaf data = its input root. */
export function inputLeafHash(primitives: Primitives, root: Bytes): Promise<Bytes> {
  return merkleLeafHash(primitives, root);
}
