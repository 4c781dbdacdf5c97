import { open, SEAL_OVERHEAD_BYTES, seal } from "../crypto/aead.ts";
import { shareCommit } from "../crypto/commitments.ts";
import { DOMAINS } from "../crypto/domains.ts";
import { E } from "../crypto/encode.ts";
import { buildMerkleTree, type MerkleTree, merkleLeafHash } from "../crypto/merkle.ts";
import { assert } from "../kernel/assert.ts";
import { type Bytes, equalBytes } from "../kernel/bytes.ts";
import type { Position } from "../kernel/places.ts";
import type { Primitives } from "../kernel/ports.ts";
import { err, ok, type Result } from "../kernel/result.ts";

/*
 * A bundle contains the shares that one dealer hands out: a leaf for each holder, under one signed Merkle root.
 *
 * | part       | bytes                                                                              |
 * | ---------- | ---------------------------------------------------------------------------------- |
 * | plaintext  | E(share, sid, dealer, holder, z-share, b-share)                                     |
 * | ciphertext | nonce (24) and secretbox of it; empty for the dealer's own leaf                     |
 * | leaf       | E(share-leaf, holder, SHA-256(ciphertext), commitment to z-share, ... to b-share)   |
 */

/** A share is as long as the secret z or b. */
export const SHARE_BYTES = 32;

const PLAINTEXT_BYTES = E(
  DOMAINS.share,
  new Uint8Array(32),
  0,
  0,
  new Uint8Array(SHARE_BYTES),
  new Uint8Array(SHARE_BYTES),
).length;
export const SEALED_SHARE_BYTES = PLAINTEXT_BYTES + SEAL_OVERHEAD_BYTES;

/** A holder's shares of the two secrets of one dealer. */
export interface SharePair {
  readonly z: Bytes;
  readonly b: Bytes;
}

/** A dealer's commitments to the shares of one holder. */
export interface ShareCommits {
  readonly zShareCommit: Bytes;
  readonly bShareCommit: Bytes;
}
export interface ShareLeaf extends ShareCommits {
  readonly ciphertext: Bytes;
}
/** A leaf without the ciphertext, as in a transcript. It is enough for the root and for the commitments. */
export interface HashedLeaf extends ShareCommits {
  readonly ciphertextHash: Bytes;
}

/** The dealer, the holder and the session of a share. */
export interface ShareRoute {
  readonly sid: Bytes;
  readonly dealer: Position;
  readonly holder: Position;
}

/** @param key  The key for this direction. @param nonce  24 fresh random bytes. */
export function sealShares(key: Bytes, nonce: Bytes, route: ShareRoute, shares: SharePair): Bytes {
  const plaintext = E(DOMAINS.share, route.sid, route.dealer, route.holder, shares.z, shares.b);
  assert(plaintext.length === PLAINTEXT_BYTES, "shares have their one length");
  const sealed = seal(key, nonce, plaintext);
  plaintext.fill(0);
  return sealed;
}

/**
 * Errors: `SHARE_AUTH` if the box does not open; `SHARE_CTX` if its content names another session, dealer or holder. The
 * second check is needed because the cipher does not commit to its key (S5).
 */
export function openShares(
  key: Bytes,
  route: ShareRoute,
  ciphertext: Bytes,
): Result<SharePair, "SHARE_AUTH" | "SHARE_CTX"> {
  const opened = open(key, ciphertext);
  if (!opened.ok) return err("SHARE_AUTH");
  const plaintext = opened.value;
  if (plaintext.length !== PLAINTEXT_BYTES) return err("SHARE_CTX");
  // Both shares are at fixed offsets. Encoding the whole item again and comparing checks every byte.
  const b = plaintext.slice(-SHARE_BYTES);
  const z = plaintext.slice(-2 * SHARE_BYTES - 4, -SHARE_BYTES - 4);
  const expected = E(DOMAINS.share, route.sid, route.dealer, route.holder, z, b);
  const inContext = equalBytes(plaintext, expected);
  plaintext.fill(0);
  expected.fill(0);
  return inContext ? ok({ z, b }) : err("SHARE_CTX");
}

export async function commitShares(
  primitives: Primitives,
  route: ShareRoute,
  shares: SharePair,
): Promise<ShareCommits> {
  const { sid, dealer, holder } = route;
  return {
    zShareCommit: await shareCommit(primitives, "z", sid, dealer, holder, shares.z),
    bShareCommit: await shareCommit(primitives, "b", sid, dealer, holder, shares.b),
  };
}

/** True if `share` is the one that the dealer committed to. */
export async function shareMatches(
  primitives: Primitives,
  kind: "z" | "b",
  route: ShareRoute,
  share: Bytes,
  leaf: ShareCommits,
): Promise<boolean> {
  const { sid, dealer, holder } = route;
  const commit = await shareCommit(primitives, kind, sid, dealer, holder, share);
  return equalBytes(commit, kind === "z" ? leaf.zShareCommit : leaf.bShareCommit);
}

/** RFC 6962 hash of a holder's leaf. */
export async function shareLeafHash(
  primitives: Primitives,
  holder: Position,
  leaf: ShareLeaf,
): Promise<Bytes> {
  return hashedLeafHash(primitives, holder, await hashedLeaf(primitives, leaf));
}

export async function hashedLeaf(primitives: Primitives, leaf: ShareLeaf): Promise<HashedLeaf> {
  const { ciphertext, zShareCommit, bShareCommit } = leaf;
  return { ciphertextHash: await primitives.sha256(ciphertext), zShareCommit, bShareCommit };
}

function hashedLeafHash(primitives: Primitives, holder: Position, leaf: HashedLeaf): Promise<Bytes> {
  const { ciphertextHash, zShareCommit, bShareCommit } = leaf;
  return merkleLeafHash(primitives, E(DOMAINS.shareLeaf, holder, ciphertextHash, zShareCommit, bShareCommit));
}

/** @param holders  Ascending, as many as `leaves`. */
export async function bundleTree(
  primitives: Primitives,
  holders: readonly Position[],
  leaves: readonly ShareLeaf[],
): Promise<MerkleTree> {
  const hashed = await Promise.all(leaves.map((leaf) => hashedLeaf(primitives, leaf)));
  return hashedBundleTree(primitives, holders, hashed);
}

/** Like `bundleTree`, from leaves without their ciphertexts. */
export async function hashedBundleTree(
  primitives: Primitives,
  holders: readonly Position[],
  leaves: readonly HashedLeaf[],
): Promise<MerkleTree> {
  assert(holders.length === leaves.length, "a leaf for each holder");
  const hashes = leaves.map((leaf, index) => hashedLeafHash(primitives, holders[index] as Position, leaf));
  return buildMerkleTree(primitives, await Promise.all(hashes));
}
