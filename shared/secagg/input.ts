import { chunkTree } from "../codec/vector-bytes.ts";
import { merkleLeafHash } from "../crypto/merkle.ts";
import type { Bytes } from "../kernel/bytes.ts";
import type { Primitives } from "../kernel/ports.ts";

/** The root over the 64-KiB chunks of a masked input, which its device signs. */
export async function inputRoot(primitives: Primitives, body: Bytes): Promise<Bytes> {
  return (await chunkTree(primitives, body)).root;
}

/** RFC 6962 leaf of a survivor in the tree whose root the outcome states. The leaf's data is the input root. */
export function inputLeafHash(primitives: Primitives, root: Bytes): Promise<Bytes> {
  return merkleLeafHash(primitives, root);
}
