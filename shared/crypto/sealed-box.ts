import { assert } from "../kernel/assert.ts";
import { type Bytes, concatBytes } from "../kernel/bytes.ts";
import type { Primitives, RandomBytes } from "../kernel/ports.ts";
import { err, ok, type Result } from "../kernel/result.ts";
import { open, SEAL_NONCE_BYTES, SEAL_OVERHEAD_BYTES, seal } from "./aead.ts";
import { DOMAINS } from "./domains.ts";
import { E } from "./encode.ts";
import { freshKeyPair } from "./key-agreement.ts";

const KEY_BYTES = 32;

/**
 * Seals `plaintext` to a public key. The sender cannot open the box again. Layout:
 * `ephemeral public key (32) | nonce and box of it under HKDF(X25519(e, A), salt = sid, info)`, where info is
 * `E(auditor-seal, E, A, position)` for a message, `E(evidence-seal, E, A)` for evidence, and
 * `E(auditor-pass, E, A)` without a salt for a pass.
 *
 * @param to  The receiver's X25519 key. Error: `low-order-point` for a key that no honest receiver has.
 * @param of  The session and position that the box is bound to.
 * Source: the construction of NaCl's sealed boxes, with HKDF (RFC 5869) in place of HSalsa20.
 * Does not authenticate the sender, who signs the message inside.
 */
export async function sealTo(
  primitives: Primitives,
  random: RandomBytes,
  to: Bytes,
  of: SealedOf,
  plaintext: Bytes,
): Promise<Result<Bytes, { readonly type: "low-order-point" }>> {
  assert(to.length === KEY_BYTES, "an X25519 key has 32 bytes");
  const ephemeral = await freshKeyPair(primitives, random);
  const shared = await primitives.x25519(ephemeral.secretKey, to);
  ephemeral.secretKey.fill(0);
  if (!shared.ok) return shared;
  const key = await boxKey(primitives, shared.value, ephemeral.publicKey, to, of);
  const sealed = concatBytes([ephemeral.publicKey, seal(key, random(SEAL_NONCE_BYTES), plaintext)]);
  key.fill(0);
  return ok(sealed);
}

/** Error: `not-authentic` if the receiver's `secretKey`, the session, the position or a byte differs. */
export async function openSealed(
  primitives: Primitives,
  secretKey: Bytes,
  of: SealedOf,
  sealed: Bytes,
): Promise<Result<Bytes, { readonly type: "not-authentic" }>> {
  assert(secretKey.length === KEY_BYTES, "an X25519 key has 32 bytes");
  if (sealed.length < KEY_BYTES + SEAL_OVERHEAD_BYTES) return err({ type: "not-authentic" });
  const ephemeral = sealed.slice(0, KEY_BYTES);
  const shared = await primitives.x25519(secretKey, ephemeral);
  if (!shared.ok) return err({ type: "not-authentic" });
  const own = await primitives.x25519PublicKey(secretKey);
  const key = await boxKey(primitives, shared.value, ephemeral, own, of);
  const opened = open(key, sealed.slice(KEY_BYTES));
  key.fill(0);
  return opened;
}

export type SealedOf =
  | {
      readonly sid: Bytes;
      /** Whose message the box holds; null for the session's evidence. */
      readonly position: number | null;
    }
  /** A pass to kept rounds, which belongs to no session. */
  | "auditor-pass";

async function boxKey(
  primitives: Primitives,
  shared: Bytes,
  ephemeral: Bytes,
  to: Bytes,
  of: SealedOf,
): Promise<Bytes> {
  const [salt, info] = boundTo(of, ephemeral, to);
  const key = await primitives.hkdfSha256(shared, salt, info, KEY_BYTES);
  shared.fill(0);
  return key;
}

function boundTo(of: SealedOf, ephemeral: Bytes, to: Bytes): readonly [salt: Bytes, info: Bytes] {
  if (of === "auditor-pass") return [new Uint8Array(0), E(DOMAINS.auditorPass, ephemeral, to)];
  const { sid, position } = of;
  return position === null
    ? [sid, E(DOMAINS.evidenceSeal, ephemeral, to)]
    : [sid, E(DOMAINS.auditorSeal, ephemeral, to, position)];
}
