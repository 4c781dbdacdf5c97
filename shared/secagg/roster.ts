import { isSparse } from "../cohort/graph-plan.ts";
import { sparseNumbersOf, type Thresholds, thresholds } from "../cohort/threshold.ts";
import { sessionId } from "../crypto/commitments.ts";
import { verifySignature } from "../crypto/signature.ts";
import { present } from "../kernel/assert.ts";
import { type Bytes, bytesToHex, compareBytes } from "../kernel/bytes.ts";
import { type Position, positionAtIndex } from "../kernel/places.ts";
import type { Primitives } from "../kernel/ports.ts";
import { err, ok, type Result } from "../kernel/result.ts";
import type { SessionId } from "../protocol/ids.ts";
import type { Attempt } from "./attempt.ts";
import { certifies } from "./certificate.ts";
import { completeGraph, type Graph, ringGraph } from "./graph.ts";
import { shardOf, shardPlanOf } from "./shard-plan.ts";
import { type AdvertKeys, advertItem } from "./signed-items.ts";

/** A device in a roster: its advert, its certificate and its signature. */
export interface RosterMember extends AdvertKeys {
  readonly certificate: Bytes;
  /** Signature over `advertItem`. */
  readonly signature: Bytes;
}

/** U1 of one attempt, and everything that follows from it without a secret. */
export interface Roster {
  readonly attempt: Attempt;
  /** Strictly ascending by identity; position = index + 1. */
  readonly members: readonly RosterMember[];
  readonly sid: Bytes;
  /** `sid` in hex, as in messages. */
  readonly sidHex: SessionId;
  readonly thresholds: Thresholds;
  readonly graph: Graph;
}

/**
 * Builds a roster, and refuses one that no device may work with. `verifyMember` checks the signatures.
 *
 * @param members  In the order in which they were sent, which must be that of the roster.
 * Errors: `COHORT_TOO_SMALL` below the agreed minimum or below t; `CONFIG` above the agreed maximum, if a member belongs to
 * another shard, or for a sparse graph under the active model; `DUP_KEY` if any two of all identity, sealing and masking
 * keys are equal; `BAD_MESSAGE` if the order is wrong. Rules S5, S6, S8.
 */
export async function layOutRoster(
  primitives: Primitives,
  attempt: Attempt,
  members: readonly RosterMember[],
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
  // Otherwise a coordinator could surround a device with devices of its choice.
  const shards = shardPlanOf(attempt.terms);
  const sameShard = members.every(({ identity }) => shardOf(shards, identity) === attempt.terms.shard);
  if (!sameShard) return err("CONFIG");
  const keys = members.flatMap(({ identity, c, s }) => [identity, c, s].map(bytesToHex));
  if (new Set(keys).size !== keys.length) return err("DUP_KEY");
  for (let index = 1; index < members.length; index++) {
    const [before, after] = [members[index - 1] as RosterMember, members[index] as RosterMember];
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
 * Checks that the issuer of the config certified the device, and that the device signed these keys under these very terms.
 * If it was told another model, config, round or attempt, it signed another header (S6).
 */
export async function verifyMember(
  primitives: Primitives,
  attempt: Attempt,
  member: RosterMember,
): Promise<Result<void, "BAD_CERTIFICATE" | "BAD_ADVERT_SIG">> {
  const { config } = attempt.terms;
  const { identity, certificate } = member;
  if (!(await certifies(primitives, config, identity, certificate))) return err("BAD_CERTIFICATE");
  const advert = advertItem(attempt.header, member);
  const signed = await verifySignature(primitives, member.identity, advert, member.signature);
  return signed ? ok(undefined) : err("BAD_ADVERT_SIG");
}

/** @throws AssertionFault if the roster has no such position. */
export function memberAt(roster: Roster, position: Position): RosterMember {
  return present(roster.members[position - 1], "a position lies in the roster");
}

/** 1-based; null for an identity that is not in the roster. */
export function positionOf(roster: Roster, identity: Bytes): Position | null {
  const index = roster.members.findIndex((member) => compareBytes(member.identity, identity) === 0);
  return index < 0 ? null : positionAtIndex(index);
}

export function neighboursOf(roster: Roster, position: Position): readonly Position[] {
  return roster.graph.neighbours(position);
}

/**
 * True if at least t of the holders of `position`, including itself, are in `set`. In the complete graph that means t of
 * all. In a sparse one only the holders have shares of this device's secrets.
 */
export function reachesThreshold(roster: Roster, position: Position, set: ReadonlySet<Position>): boolean {
  const present = holdersIn(roster, position).filter((holder) => set.has(holder)).length;
  return present >= roster.thresholds.t;
}

/** Ascending. A holder's 1-based rank here is its x in Shamir's scheme. */
export function holdersIn(roster: Roster, dealer: Position): readonly Position[] {
  return roster.graph.holders(dealer);
}
