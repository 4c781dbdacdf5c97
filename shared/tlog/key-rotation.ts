import { DOMAINS } from "../crypto/domains.ts";
import { E } from "../crypto/encode.ts";
import { verifySignature } from "../crypto/signature.ts";
import { type Bytes, bytesToHex, hexToBytes } from "../kernel/bytes.ts";
import type { Primitives, Signer } from "../kernel/ports.ts";
import type { LeafBody, LeafFacts } from "./leaf-kinds.ts";

/*
 * A log's key hands over to the next by a leaf that it signs: Ed25519 over E("chorus/1/log-key", origin, from, to).
 *
 * Does not protect: whoever has stolen a key can hand over with it too, to everyone who has not followed the true rotation.
 */

/** What the leaf `log.keyRotated` says. @param from  The key that is left. */
export async function rotationBody(
  from: Signer,
  origin: string,
  to: Bytes,
): Promise<LeafBody<"log.keyRotated">> {
  const signature = await from.sign(statement(origin, from.publicKey, to));
  return {
    origin,
    from: bytesToHex(from.publicKey),
    to: bytesToHex(to),
    signature: bytesToHex(signature),
  };
}

/** The next key, if `key` has signed the rotation for this log; else undefined. */
export async function nextKey(
  primitives: Primitives,
  { origin, from, to, signature }: LeafFacts<"log.keyRotated">,
  expected: { readonly origin: string; readonly publicKey: Bytes },
): Promise<Bytes | undefined> {
  if (origin !== expected.origin || from !== bytesToHex(expected.publicKey)) return undefined;
  const next = hexToBytes(to);
  const message = statement(origin, expected.publicKey, next);
  const holds = await verifySignature(primitives, expected.publicKey, message, hexToBytes(signature));
  return holds ? next : undefined;
}

function statement(origin: string, from: Bytes, to: Bytes): Bytes {
  return E(DOMAINS.logKey, origin, from, to);
}
