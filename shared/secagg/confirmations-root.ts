import { DOMAINS } from "../crypto/domains.ts";
import { E } from "../crypto/encode.ts";
import { merkleRoot } from "../crypto/merkle.ts";
import type { Bytes } from "../kernel/bytes.ts";
import type { Position } from "../kernel/places.ts";
import type { Primitives } from "../kernel/ports.ts";

/** Root over the confirmations, ascending by signer, for the log's `survivors.signed`. */
export function confirmationsRoot(
  primitives: Primitives,
  confirmations: readonly { readonly signer: Position; readonly signature: Bytes }[],
): Promise<Bytes> {
  return merkleRoot(
    primitives,
    confirmations.map(({ signer, signature }) => E(DOMAINS.signatureLeaf, signer, signature)),
  );
}
