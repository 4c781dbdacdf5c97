import { type MerkleTree, merklePath } from "../crypto/merkle.ts";
import { verifySignature } from "../crypto/signature.ts";
import { present } from "../kernel/assert.ts";
import { type Bytes, compareBytes, equalBytes } from "../kernel/bytes.ts";
import type { Primitives } from "../kernel/ports.ts";
import { err, ok, type Result } from "../kernel/result.ts";
import type { Position } from "../protocol/ids.ts";
import type { CoordinatorMessageOf } from "../protocol/messages/coordinator.ts";
import type { DeviceMessageOf } from "../protocol/messages/device.ts";
import { agreedVectorLength } from "../task/config.ts";
import type { Attempt } from "./attempt.ts";
import {
  bundleTree,
  SEALED_SHARE_BYTES,
  SHARE_BYTES,
  type ShareCommits,
  type ShareLeaf,
  shareMatches,
} from "./bundle.ts";
import { type PositionSet, type SessionSets, without } from "./position-sets.ts";
import {
  holdersIn,
  layOutRoster,
  type Member,
  memberAt,
  neighboursOf,
  type Roster,
  type RosterError,
  verifyMember,
} from "./roster.ts";
import {
  bundleItem,
  complaintItem,
  inputItem,
  type OwnedShare,
  setsItem,
  unmaskItem,
} from "./signed-items.ts";

/*
 * What the coordinator checks before it takes a message, and what it sends on. Every check of a device is made here
 * first, so that an honest coordinator never shows a device what that device would refuse. Pure but for the primitives:
 * the same input gives the same answer, also after a restart.
 */

/** Any secret does: it has the cofactor in it, so a point of small order, and no other, gives zero. */
const PROBE_SECRET = new Uint8Array(32).fill(1);

/**
 * R0.
 *
 * @param others  Members of this attempt so far, other than the sender.
 * Errors: `BAD_CERTIFICATE`, `BAD_ADVERT_SIG`, `DUP_KEY`, `LOW_ORDER`.
 */
export async function verifyAdvert(
  primitives: Primitives,
  attempt: Attempt,
  member: Member,
  others: readonly Member[],
): Promise<Result<void, "BAD_CERTIFICATE" | "BAD_ADVERT_SIG" | "DUP_KEY" | "LOW_ORDER">> {
  const taken = others.flatMap(({ identity, c, s }) => [identity, c, s]);
  const own = [member.identity, member.c, member.s];
  const isRepeated = own.some((key, index) =>
    [...taken, ...own.slice(0, index)].some((other) => equalBytes(key, other)),
  );
  if (isRepeated) return err("DUP_KEY");
  for (const key of [member.c, member.s]) {
    const probe = await primitives.x25519(PROBE_SECRET, key);
    if (!probe.ok) return err("LOW_ORDER");
  }
  return verifyMember(primitives, attempt, member);
}

/** U1 from verified adverts, sorted. @param members  In any order. Errors as `layOutRoster`. */
export function buildRoster(
  primitives: Primitives,
  attempt: Attempt,
  members: readonly Member[],
): Promise<Result<Roster, RosterError>> {
  const sorted = [...members].sort((left, right) => compareBytes(left.identity, right.identity));
  return layOutRoster(primitives, attempt, sorted);
}

/** The `members` of the roster message. */
export function rosterMembers(roster: Roster): CoordinatorMessageOf<"roster">["members"] {
  return roster.members.map(({ identity, c, s, bCommit, certificate, signature }) => ({
    identity,
    c,
    s,
    bCommit,
    certificate,
    signature,
  }));
}

/** What one dealer handed out, checked. */
export interface Bundle {
  readonly dealer: number;
  /** In order of holder. */
  readonly leaves: readonly ShareLeaf[];
  readonly tree: MerkleTree;
  readonly signature: Bytes;
}

/** R1. Errors: `BAD_MESSAGE` where leaves are missing or of another length, `BAD_SIGNATURE`. */
export async function verifyShareBundle(
  primitives: Primitives,
  roster: Roster,
  dealer: number,
  message: Pick<DeviceMessageOf<"share">, "sid" | "leaves" | "signature">,
): Promise<Result<Bundle, Refusal>> {
  if (message.sid !== roster.sidHex) return err("STATE");
  const holders = holdersIn(roster, dealer);
  const { leaves, signature } = message;
  if (leaves.length !== holders.length) return err("BAD_MESSAGE");
  const wellFormed = leaves.every(
    ({ ciphertext }, index) => ciphertext.length === (holders[index] === dealer ? 0 : SEALED_SHARE_BYTES),
  );
  if (!wellFormed) return err("BAD_MESSAGE");
  const tree = await bundleTree(primitives, holders, leaves);
  const item = bundleItem(roster.sid, dealer, tree.root);
  const signed = await verifySignature(primitives, memberAt(roster, dealer).identity, item, signature);
  return signed ? ok({ dealer, leaves, tree, signature }) : err("BAD_SIGNATURE");
}
/** `STATE`: of another session. */
export type Refusal = "STATE" | "BAD_MESSAGE" | "BAD_SIGNATURE";

/** The `shares` of `holder`'s collect message. @param bundles  By dealer, one for each of U2. */
export function collectFor(
  roster: Roster,
  u2: PositionSet,
  bundles: ReadonlyMap<number, Bundle>,
  holder: number,
): CoordinatorMessageOf<"collect">["shares"] {
  const inU2 = new Set(u2.positions);
  const dealers = neighboursOf(roster, holder).filter((neighbour) => inU2.has(neighbour));
  return dealers.map((dealer) => {
    const { leaves, tree, signature } = present(bundles.get(dealer), "a bundle for each of U2");
    const index = roster.graph.rankOf(dealer, holder) - 1;
    const { ciphertext, zShareCommit, bShareCommit } = present(leaves[index], "a leaf for each holder");
    const path = merklePath(tree, index);
    return {
      dealer: dealer as Position,
      ciphertext,
      zShareCommit,
      bShareCommit,
      path,
      root: tree.root,
      signature,
    };
  });
}

/** A device's word for its input before the bytes are there; `root` is compared with theirs when they are. */
export interface InputClaim {
  readonly byteCount: number;
  readonly root: Bytes;
  readonly signature: Bytes;
}

/** R2. Errors: `STATE` for a sender outside U2, `BAD_LENGTH`, `BAD_SIGNATURE`. */
export async function verifyInput(
  primitives: Primitives,
  roster: Roster,
  u2: PositionSet,
  position: number,
  { byteCount, root, signature }: InputClaim,
): Promise<Result<void, "STATE" | "BAD_LENGTH" | "BAD_SIGNATURE">> {
  if (!u2.positions.includes(position)) return err("STATE");
  if (byteCount !== 4 * agreedVectorLength(roster.attempt.terms)) return err("BAD_LENGTH");
  const item = inputItem(roster.sid, position, u2.hash, byteCount, root);
  const signed = await verifySignature(primitives, memberAt(roster, position).identity, item, signature);
  return signed ? ok(undefined) : err("BAD_SIGNATURE");
}

/** R3. Errors: `STATE` for another session or a sender outside U3, `BAD_SIGNATURE`. */
export async function verifyConfirmation(
  primitives: Primitives,
  roster: Roster,
  sets: SessionSets,
  position: number,
  message: Pick<DeviceMessageOf<"confirm">, "sid" | "signature">,
): Promise<Result<void, Refusal>> {
  if (message.sid !== roster.sidHex || !sets.u3.positions.includes(position)) return err("STATE");
  const item = setsItem(roster.sid, sets.u2.hash, sets.u3.hash);
  const { identity } = memberAt(roster, position);
  const signed = await verifySignature(primitives, identity, item, message.signature);
  return signed ? ok(undefined) : err("BAD_SIGNATURE");
}

/** What one holder gave to open the sum. */
export interface Opening {
  readonly holder: number;
  /** Shares that match their dealer's commitments. */
  readonly bShares: readonly OwnedShare[];
  readonly zShares: readonly OwnedShare[];
  /** Owners whose share does not: the holder is to blame, for it accepted a matching one in R2 (S9). */
  readonly offCommitment: readonly number[];
}

/** What each dealer committed to, by dealer: a bundle has it, and a transcript. */
export type Commitments = ReadonlyMap<number, { readonly leaves: readonly ShareCommits[] }>;

/**
 * R4.
 *
 * @param bundles  By dealer, one for each of U2.
 * Errors: `STATE`, `BAD_MESSAGE` where the owners are not exactly U3 for b and U2 without U3 for z (S1), `BAD_SIGNATURE`.
 */
export async function verifyUnmask(
  primitives: Primitives,
  roster: Roster,
  sets: SessionSets,
  bundles: Commitments,
  holder: number,
  message: Pick<DeviceMessageOf<"unmask">, "sid" | "bShares" | "zShares" | "signature">,
): Promise<Result<Opening, Refusal>> {
  if (message.sid !== roster.sidHex || !sets.u3.positions.includes(holder)) return err("STATE");
  const { bShares, zShares, signature } = message;
  const circle = new Set(holdersIn(roster, holder));
  const exact = (shares: readonly OwnedShare[], owners: readonly number[]) =>
    shares.map(({ owner }) => owner).join() === owners.filter((owner) => circle.has(owner)).join() &&
    shares.every(({ share }) => share.length === SHARE_BYTES);
  if (!exact(bShares, sets.u3.positions) || !exact(zShares, without(sets.u2, sets.u3)))
    return err("BAD_MESSAGE");
  const hashes = { u2Hash: sets.u2.hash, u3Hash: sets.u3.hash };
  const item = unmaskItem(roster.sid, holder, hashes, bShares, zShares);
  if (!(await verifySignature(primitives, memberAt(roster, holder).identity, item, signature))) {
    return err("BAD_SIGNATURE");
  }
  const matches =
    (kind: "b" | "z") =>
    async ({ owner, share }: OwnedShare) => {
      const { leaves } = present(bundles.get(owner), "a bundle for each of U2");
      const leaf = present(leaves[roster.graph.rankOf(owner, holder) - 1], "a leaf for each holder");
      return shareMatches(primitives, kind, { sid: roster.sid, dealer: owner, holder }, share, leaf);
    };
  const bMatches = await Promise.all(bShares.map(matches("b")));
  const zMatches = await Promise.all(zShares.map(matches("z")));
  const offCommitment = [
    ...bShares.filter((_, index) => !bMatches[index]),
    ...zShares.filter((_, index) => !zMatches[index]),
  ].map(({ owner }) => owner);
  return ok({
    holder,
    bShares: bShares.filter((_, index) => bMatches[index]),
    zShares: zShares.filter((_, index) => zMatches[index]),
    offCommitment,
  });
}

/**
 * A device's word that what `against` sealed for it does not open or match. Only the pair knows who is right, so both
 * are kept apart from then on, and no key is asked for.
 *
 * Errors: `STATE`, `BAD_MESSAGE` where the two are not neighbours, `BAD_SIGNATURE`.
 */
export async function verifyComplaint(
  primitives: Primitives,
  roster: Roster,
  position: number,
  message: Pick<DeviceMessageOf<"complaint">, "sid" | "against" | "signature">,
): Promise<Result<void, Refusal>> {
  if (message.sid !== roster.sidHex) return err("STATE");
  if (!neighboursOf(roster, position).includes(message.against)) return err("BAD_MESSAGE");
  const item = complaintItem(roster.sid, position, message.against);
  const { identity } = memberAt(roster, position);
  const signed = await verifySignature(primitives, identity, item, message.signature);
  return signed ? ok(undefined) : err("BAD_SIGNATURE");
}
