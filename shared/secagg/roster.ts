import { sessionId } from "../crypto/commitments.ts";
import { verifySignature } from "../crypto/signature.ts";
import { present } from "../kernel/assert.ts";
import { type Bytes, bytesToHex, compareBytes } from "../kernel/bytes.ts";
import type { Primitives } from "../kernel/ports.ts";
import { err, ok, type Result } from "../kernel/result.ts";
import type { SessionId } from "../protocol/ids.ts";
import { isSparse } from "../task/graph-plan.ts";
import type { Attempt } from "./attempt.ts";
import { certifies } from "./certificate.ts";
import { completeGraph, type Graph, ringGraph } from "./graph.ts";
import { shardOf, shardPlanOf } from "./shards.ts";
import { type AdvertKeys, advertItem } from "./signed-items.ts";
import { sparseNumbersOf, type Thresholds, thresholds } from "./threshold.ts";

/** A device as it stands in a roster: its advert, with the issuer's word for its key and its own signature. */
export interface Member extends AdvertKeys {
  readonly certificate: Bytes;
  /** Over `advertItem`. */
  readonly signature: Bytes;
}

/** U1 of one attempt, and everything that follows from it without a secret. */
export interface Roster {
  readonly attempt: Attempt;
  /** Strictly ascending by identity; position = index + 1. */
  readonly members: readonly Member[];
  readonly sid: Bytes;
  /** `sid` in hex, as messages carry it. */
  readonly sidHex: SessionId;
  readonly thresholds: Thresholds;
  readonly graph: Graph;
}

/**
 * Lays out a roster and refuses one that no device may work with. Signatures are `verifyMember`'s matter.
 *
 * @param members  In the order that they were sent in; it must be the roster's.
 * Errors: `COHORT_TOO_SMALL` below the agreed minimum or below t, `CONFIG` above the agreed maximum, where a member
 * belongs to another shard and where a sparse graph would have to hold against an active coordinator, `DUP_KEY` where two
 * of all identity, sealing and masking keys are equal, `BAD_MESSAGE` where the order is another. Rules S5, S6, S8.
 */
export async function layOutRoster(
  primitives: Primitives,
  attempt: Attempt,
  members: readonly Member[],
): Promise<Result<Roster, RosterError>> {
  const { config } = attempt.terms;
  const { graph, securityModel, cohortSizeMin } = config;
  if (members.length < cohortSizeMin) return err("COHORT_TOO_SMALL");
  // More summands than agreed could overflow the ring.
  if (members.length > config.cohortSizeMax) return err("CONFIG");
  if (isSparse(graph) && securityModel === "active") return err("CONFIG");
  const sparse = sparseNumbersOf(members.length, graph);
  const numbers = thresholds(members.length, securityModel, cohortSizeMin, graph);
  if (numbers.q > members.length) return err("COHORT_TOO_SMALL");
  // Otherwise a coordinator could put devices of its own choice around another.
  const shards = shardPlanOf(attempt.terms);
  const sameShard = members.every(({ identity }) => shardOf(shards, identity) === attempt.terms.shard);
  if (!sameShard) return err("CONFIG");
  const keys = members.flatMap(({ identity, c, s }) => [identity, c, s].map(bytesToHex));
  if (new Set(keys).size !== keys.length) return err("DUP_KEY");
  for (let index = 1; index < members.length; index++) {
    const [before, after] = [members[index - 1] as Member, members[index] as Member];
    if (compareBytes(before.identity, after.identity) >= 0) return err("BAD_MESSAGE");
  }
  const adverts = members.map((member) => advertItem(attempt.header, member));
  const sid = await sessionId(primitives, attempt.header, adverts);
  return ok({
    attempt,
    members,
    sid,
    sidHex: bytesToHex(sid) as SessionId,
    thresholds: numbers,
    graph: sparse === null ? completeGraph(members.length) : ringGraph(sid, members.length, sparse.degree),
  });
}
export type RosterError = "COHORT_TOO_SMALL" | "CONFIG" | "DUP_KEY" | "BAD_MESSAGE";

/**
 * That the issuer of the config vouches for the device, and that the device signed these keys for these very terms: a
 * device that was told another model, config, round or attempt signed another header (S6).
 */
export async function verifyMember(
  primitives: Primitives,
  attempt: Attempt,
  member: Member,
): Promise<Result<void, "BAD_CERTIFICATE" | "BAD_ADVERT_SIG">> {
  const { config } = attempt.terms;
  const { identity, certificate } = member;
  if (!(await certifies(primitives, config, identity, certificate))) return err("BAD_CERTIFICATE");
  const advert = advertItem(attempt.header, member);
  const signed = await verifySignature(primitives, member.identity, advert, member.signature);
  return signed ? ok(undefined) : err("BAD_ADVERT_SIG");
}

/** @throws AssertionFault where the roster has no such position. */
export function memberAt(roster: Roster, position: number): Member {
  return present(roster.members[position - 1], "a position lies in the roster");
}

/** 1-based; null for an identity that is not in the roster. */
export function positionOf(roster: Roster, identity: Bytes): number | null {
  const index = roster.members.findIndex((member) => compareBytes(member.identity, identity) === 0);
  return index < 0 ? null : index + 1;
}

export function neighboursOf(roster: Roster, position: number): readonly number[] {
  return roster.graph.neighbours(position);
}

/**
 * Whether at least t of those around `position`, itself counted, are in `set`. In the complete graph that is t of all; in
 * a sparse one nobody else holds shares of this device's secrets.
 */
export function reachesThreshold(roster: Roster, position: number, set: ReadonlySet<number>): boolean {
  const present = holdersIn(roster, position).filter((holder) => set.has(holder)).length;
  return present >= roster.thresholds.t;
}

/** Ascending; the x of a holder in Shamir's scheme is its 1-based rank here. */
export function holdersIn(roster: Roster, dealer: number): readonly number[] {
  return roster.graph.holders(dealer);
}
