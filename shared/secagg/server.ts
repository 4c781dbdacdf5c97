import { type MerkleTree, merklePath } from "../crypto/merkle.ts";
import { verifySignature } from "../crypto/signature.ts";
import { present } from "../kernel/assert.ts";
import { type Bytes, compareBytes, equalBytes } from "../kernel/bytes.ts";
import type { Position } from "../kernel/places.ts";
import type { Primitives } from "../kernel/ports.ts";
import { err, ok, type Result } from "../kernel/result.ts";
import type { LogHead } from "../protocol/ids.ts";
import type { CoordinatorMessageOf } from "../protocol/messages/coordinator.ts";
import type { DeviceMessageOf } from "../protocol/messages/device.ts";
import { agreedLog, agreedVectorLength } from "../task/config.ts";
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
  memberAt,
  neighboursOf,
  type Roster,
  type RosterError,
  type RosterMember,
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
 * The coordinator's checks of messages from devices, and the parts of messages that it sends. Every check that a device
 * will make is made here first, so an honest coordinator never sends a device anything that it would refuse. Pure except
 * for the primitives: the same input gives the same answer, also after a restart.
 */

/** Any secret will do: X25519 makes it a multiple of the cofactor, so exactly the points of small order give zero. */
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
  member: RosterMember,
  others: readonly RosterMember[],
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

/** Sorts verified adverts into U1. @param members  In any order. Errors: as in `layOutRoster`. */
export function buildRoster(
  primitives: Primitives,
  attempt: Attempt,
  members: readonly RosterMember[],
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

/** The shares that one dealer handed out, checked. */
export interface Bundle {
  readonly dealer: Position;
  /** In order of holder. */
  readonly leaves: readonly ShareLeaf[];
  readonly tree: MerkleTree;
  readonly signature: Bytes;
}

/** R1. Errors: `STATE`; `BAD_MESSAGE` if leaves are missing or have another length; `BAD_SIGNATURE`. */
export async function verifyShareBundle(
  primitives: Primitives,
  roster: Roster,
  dealer: Position,
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
/** `STATE` means that the message belongs to another session or its sender may not send it. */
export type Refusal = "STATE" | "BAD_MESSAGE" | "BAD_SIGNATURE";

/** The `shares` of `holder`'s collect message. @param bundles  By dealer, one for each of U2. */
export function collectFor(
  roster: Roster,
  u2: PositionSet,
  bundles: ReadonlyMap<Position, Bundle>,
  holder: Position,
): CoordinatorMessageOf<"collect">["shares"] {
  const inU2 = new Set(u2.positions);
  const dealers = neighboursOf(roster, holder).filter((neighbour) => inU2.has(neighbour));
  return dealers.map((dealer) => {
    const { leaves, tree, signature } = present(bundles.get(dealer), "a bundle for each of U2");
    const index = roster.graph.rankOf(dealer, holder) - 1;
    const { ciphertext, zShareCommit, bShareCommit } = present(leaves[index], "a leaf for each holder");
    const path = merklePath(tree, index);
    return {
      dealer,
      ciphertext,
      zShareCommit,
      bShareCommit,
      path,
      root: tree.root,
      signature,
    };
  });
}

/** A device's claim about its input before the bytes arrive. `root` is then compared with theirs. */
export interface InputClaim {
  readonly byteCount: number;
  readonly root: Bytes;
  readonly signature: Bytes;
  /** What the device says it has seen of the public log. Whether it is of that log, the caller checks (A42). */
  readonly log?: LogHead;
}

/**
 * R2. Errors: `STATE` for a sender outside U2, `BAD_LENGTH`, `BAD_SIGNATURE`; `NOT_LOGGED` if it states a log and its config
 * names none, or the reverse.
 */
export async function verifyInput(
  primitives: Primitives,
  roster: Roster,
  u2: PositionSet,
  position: Position,
  { byteCount, root, signature, log }: InputClaim,
): Promise<Result<void, "STATE" | "BAD_LENGTH" | "BAD_SIGNATURE" | "NOT_LOGGED">> {
  if (!u2.positions.includes(position)) return err("STATE");
  if (byteCount !== 4 * agreedVectorLength(roster.attempt.terms)) return err("BAD_LENGTH");
  if ((log === undefined) !== (agreedLog(roster.attempt.terms.config) === null)) return err("NOT_LOGGED");
  const item = inputItem(roster.sid, position, u2.hash, byteCount, root, log ?? null);
  const signed = await verifySignature(primitives, memberAt(roster, position).identity, item, signature);
  return signed ? ok(undefined) : err("BAD_SIGNATURE");
}

/** R3. Errors: `STATE` for another session or a sender outside U3, `BAD_SIGNATURE`. */
export async function verifyConfirmation(
  primitives: Primitives,
  roster: Roster,
  sets: SessionSets,
  position: Position,
  message: Pick<DeviceMessageOf<"confirm">, "sid" | "signature">,
): Promise<Result<void, Refusal>> {
  if (message.sid !== roster.sidHex || !sets.u3.positions.includes(position)) return err("STATE");
  const item = setsItem(roster.sid, sets.u2.hash, sets.u3.hash);
  const { identity } = memberAt(roster, position);
  const signed = await verifySignature(primitives, identity, item, message.signature);
  return signed ? ok(undefined) : err("BAD_SIGNATURE");
}

/** The shares that one holder sent to open the sum. */
export interface GivenShares {
  readonly holder: Position;
  /** Shares that match their dealer's commitments. */
  readonly bShares: readonly OwnedShare[];
  readonly zShares: readonly OwnedShare[];
  /** Owners whose share does not match. The holder is to blame, because it accepted a matching one in R2 (S9). */
  readonly offCommitment: readonly Position[];
}

/** The commitments of each dealer, by dealer. Both bundles and transcripts have them. */
export type Commitments = ReadonlyMap<Position, { readonly leaves: readonly ShareCommits[] }>;

/**
 * R4.
 *
 * @param bundles  By dealer, one for each of U2.
 * Errors: `STATE`; `BAD_MESSAGE` unless the owners are exactly U3 for b and U2 without U3 for z, within the sender's
 * holders (S1); `BAD_SIGNATURE`.
 */
export async function verifyUnmask(
  primitives: Primitives,
  roster: Roster,
  sets: SessionSets,
  bundles: Commitments,
  holder: Position,
  message: Pick<DeviceMessageOf<"unmask">, "sid" | "bShares" | "zShares" | "signature">,
): Promise<Result<GivenShares, Refusal>> {
  if (message.sid !== roster.sidHex || !sets.u3.positions.includes(holder)) return err("STATE");
  const { bShares, zShares, signature } = message;
  const held = new Set(holdersIn(roster, holder));
  const exact = (shares: readonly OwnedShare[], owners: readonly Position[]) =>
    shares.map(({ owner }) => owner).join() === owners.filter((owner) => held.has(owner)).join() &&
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
 * A device's complaint that the shares which `against` sealed for it do not open or match. Only the pair knows who is
 * right, so the two are kept apart from then on, and no key is asked for.
 *
 * Errors: `STATE`; `BAD_MESSAGE` if the two are not neighbours; `BAD_SIGNATURE`.
 */
export async function verifyComplaint(
  primitives: Primitives,
  roster: Roster,
  position: Position,
  message: Pick<DeviceMessageOf<"complaint">, "sid" | "against" | "signature">,
): Promise<Result<void, Refusal>> {
  if (message.sid !== roster.sidHex) return err("STATE");
  if (!neighboursOf(roster, position).includes(message.against)) return err("BAD_MESSAGE");
  const item = complaintItem(roster.sid, position, message.against);
  const { identity } = memberAt(roster, position);
  const signed = await verifySignature(primitives, identity, item, message.signature);
  return signed ? ok(undefined) : err("BAD_SIGNATURE");
}
