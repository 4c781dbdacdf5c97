import { verifySignature } from "../crypto/signature.ts";
import { type Bytes, bytesToHex } from "../kernel/bytes.ts";
import { type Position, positionAtIndex } from "../kernel/places.ts";
import type { Primitives } from "../kernel/ports.ts";
import { ok } from "../kernel/result.ts";
import type { LogHead } from "../protocol/ids.ts";
import { configHash, openAttempt, roundHash } from "../secagg/attempt.ts";
import { hashedBundleTree } from "../secagg/bundle.ts";
import { inputsTree } from "../secagg/opening.ts";
import { type PositionSet, type SessionSets, setOfBitmap, without } from "../secagg/position-sets.ts";
import {
  holdersIn,
  layOutRoster,
  memberAt,
  type Roster,
  reachesThreshold,
  verifyMember,
} from "../secagg/roster.ts";
import type { Commitments } from "../secagg/server.ts";
import { bundleItem, inputItem, setsItem } from "../secagg/signed-items.ts";
import { agreedLog, agreedVectorLength } from "../task/config.ts";
import { type Checked, fault } from "./fault.ts";
import type { SessionTranscript } from "./session-transcript.ts";

/** Facts about a round that all its sessions must agree with. */
export interface SessionExpectation {
  readonly runId: string;
  readonly round: number;
  readonly configHash: string;
  readonly roundHash: string;
  readonly parentModelHash: string;
}

/** A session with valid signatures only. */
export interface CheckedSession {
  readonly roster: Roster;
  readonly sets: SessionSets;
  readonly commitments: Commitments;
  /** For each survivor, the root over the chunks of its masked input. */
  readonly inputRoots: ReadonlyMap<Position, Bytes>;
  /** For each survivor, the state of the public log that it signed; empty without a log. */
  readonly logHeads: ReadonlyMap<Position, LogHead>;
  /** Root over these roots, in order of position. */
  readonly inputsRoot: Bytes;
  /** Ascending by signer. */
  readonly confirmations: SessionTranscript["confirmations"];
  readonly evidenceHash: Bytes;
  readonly shard: number;
  readonly signatureCount: number;
}

/**
 * Checks all parts of a session that need no secret: its terms are the round's, its roster gives the session id, and the
 * right key signed each advert, certificate, bundle, input and confirmation. Rule A2.
 */
export async function checkSession(
  primitives: Primitives,
  transcript: SessionTranscript,
  expected: SessionExpectation,
): Promise<Checked<CheckedSession>> {
  const terms = await checkTerms(primitives, transcript, expected);
  if (!terms.ok) return terms;
  const roster = await checkRoster(primitives, transcript);
  if (!roster.ok) return roster;
  const sets = await checkSets(primitives, transcript, roster.value);
  if (!sets.ok) return sets;
  const commitments = await checkBundles(primitives, transcript, roster.value, sets.value.u2);
  if (!commitments.ok) return commitments;
  const inputRoots = await checkInputs(primitives, transcript, roster.value, sets.value);
  if (!inputRoots.ok) return inputRoots;
  const confirmed = await checkConfirmations(primitives, transcript, roster.value, sets.value);
  if (!confirmed.ok) return confirmed;
  const { shard, members, bundles, inputs, confirmations, evidenceHash } = transcript;
  return ok({
    roster: roster.value,
    sets: sets.value,
    commitments: commitments.value,
    inputRoots: inputRoots.value,
    inputsRoot: (await inputsTree(primitives, [...inputRoots.value.values()])).root,
    confirmations,
    evidenceHash,
    shard,
    logHeads: new Map(inputs.flatMap(({ position, log }) => (log === undefined ? [] : [[position, log]]))),
    signatureCount: 2 * members.length + bundles.length + inputs.length + confirmations.length,
  });
}

async function checkTerms(
  primitives: Primitives,
  transcript: SessionTranscript,
  expected: SessionExpectation,
): Promise<Checked<void>> {
  const own = {
    run: [transcript.runId, expected.runId],
    round: [transcript.round, expected.round],
    config: [bytesToHex(await configHash(primitives, transcript.config)), expected.configHash],
    "round parameters": [bytesToHex(await roundHash(primitives, transcript.roundParams)), expected.roundHash],
    "parent model": [transcript.modelHash, expected.parentModelHash],
  };
  for (const [name, [said, wanted]] of Object.entries(own)) {
    if (said !== wanted)
      return fault("TERMS", `The transcript belongs to another ${name}: ${said}, not ${wanted}.`);
  }
  const { purpose } = transcript.roundParams;
  if (transcript.config.vectors[purpose] === undefined)
    return fault("TERMS", `The config allows no round to ${purpose}.`);
  return ok(undefined);
}

/** Any scalar will do: X25519 makes it a multiple of the cofactor, which maps points of small order to zero. RFC 7748. */
const PROBE = new Uint8Array(32).fill(9);

async function checkRoster(primitives: Primitives, transcript: SessionTranscript): Promise<Checked<Roster>> {
  const { runId, round, attempt, shard, config, roundParams, modelHash, members, sid } = transcript;
  for (const [index, { c, s }] of members.entries()) {
    const [forC, forS] = [await primitives.x25519(PROBE, c), await primitives.x25519(PROBE, s)];
    if (!forC.ok || !forS.ok)
      return fault("ROSTER", `The device at position ${index + 1} advertised a key of small order.`);
  }
  const opened = await openAttempt(primitives, {
    runId,
    round,
    attempt,
    shard,
    config,
    roundParams,
    modelHash,
  });
  const roster = await layOutRoster(primitives, opened, members);
  if (!roster.ok) return fault("ROSTER", `No device would have accepted the roster (${roster.error}).`);
  if (roster.value.sidHex !== sid)
    return fault("ROSTER", `The roster gives session ${roster.value.sidHex}, not ${sid}.`);
  for (const [index, member] of members.entries()) {
    const verified = await verifyMember(primitives, opened, member);
    if (verified.ok) continue;
    const position = positionAtIndex(index);
    if (verified.error === "BAD_CERTIFICATE")
      return fault("CERTIFICATE", `The issuer did not certify the device at position ${position}.`);
    return fault("ADVERT_SIGNATURE", `The device at position ${position} did not sign its advert.`);
  }
  return roster;
}

async function checkSets(
  primitives: Primitives,
  transcript: SessionTranscript,
  roster: Roster,
): Promise<Checked<SessionSets>> {
  const u2 = await setOfBitmap(primitives, roster, transcript.u2);
  const u3 = await setOfBitmap(primitives, roster, transcript.u3);
  if (!u2.ok || !u3.ok) return fault("SETS", "U2 or U3 is not a set of the roster's positions.");
  const strangers = without(u3.value, u2.value);
  if (strangers.length > 0)
    return fault("SETS", `U3 has positions that are not in U2: ${strangers.join(", ")}.`);
  const { q } = roster.thresholds;
  const have = u3.value.positions.length;
  if (have < q) return fault("SETS", `Only ${have} inputs are in the sum; at least ${q} were needed.`);
  return ok({ u2: u2.value, u3: u3.value });
}

async function checkBundles(
  primitives: Primitives,
  { bundles }: SessionTranscript,
  roster: Roster,
  u2: PositionSet,
): Promise<Checked<Commitments>> {
  if (bundles.map(({ dealer }) => dealer).join() !== u2.positions.join())
    return fault("SETS", "The bundles of shares do not match the devices of U2.");
  for (const { dealer, leaves, signature } of bundles) {
    const holders = holdersIn(roster, dealer);
    if (leaves.length !== holders.length)
      return fault("SETS", `Position ${dealer} dealt ${leaves.length} shares to ${holders.length} holders.`);
    const { root } = await hashedBundleTree(primitives, holders, leaves);
    const item = bundleItem(roster.sid, dealer, root);
    if (!(await verifySignature(primitives, memberAt(roster, dealer).identity, item, signature)))
      return fault("BUNDLE_SIGNATURE", `The device at position ${dealer} did not sign these shares.`);
  }
  return ok(new Map(bundles.map((bundle) => [bundle.dealer, bundle])));
}

async function checkInputs(
  primitives: Primitives,
  { inputs }: SessionTranscript,
  roster: Roster,
  { u2, u3 }: SessionSets,
): Promise<Checked<ReadonlyMap<Position, Bytes>>> {
  if (inputs.map(({ position }) => position).join() !== u3.positions.join())
    return fault("SETS", "The masked inputs do not match the devices of U3.");
  const byteCount = 4 * agreedVectorLength(roster.attempt.terms);
  const hasLog = agreedLog(roster.attempt.terms.config) !== null;
  for (const { position, root, signature, log = null } of inputs) {
    if ((log !== null) !== hasLog)
      return fault(
        "INPUT_SIGNATURE",
        `The device at position ${position} ${hasLog ? "states no" : "states a"} public log.`,
      );
    const item = inputItem(roster.sid, position, u2.hash, byteCount, root, log);
    if (!(await verifySignature(primitives, memberAt(roster, position).identity, item, signature)))
      return fault("INPUT_SIGNATURE", `The device at position ${position} did not sign this masked input.`);
  }
  return ok(new Map(inputs.map(({ position, root }) => [position, root])));
}

async function checkConfirmations(
  primitives: Primitives,
  { confirmations }: SessionTranscript,
  roster: Roster,
  { u2, u3 }: SessionSets,
): Promise<Checked<void>> {
  const item = setsItem(roster.sid, u2.hash, u3.hash);
  const signers = new Set<Position>();
  for (const { signer, signature } of confirmations) {
    if (!u3.positions.includes(signer) || signers.has(signer))
      return fault("CONFIRMATION_SIGNATURE", `Position ${signer} confirms twice or is not in U3.`);
    signers.add(signer);
    if (!(await verifySignature(primitives, memberAt(roster, signer).identity, item, signature)))
      return fault("CONFIRMATION_SIGNATURE", `The device at position ${signer} did not confirm these sets.`);
  }
  // In a sparse graph, count among the holders of each device: only they have shares of its secrets, and they need t.
  const short = u3.positions.find((position) => !reachesThreshold(roster, position, signers));
  if (short === undefined) return ok(undefined);
  const { t } = roster.thresholds;
  return fault(
    "TOO_FEW_CONFIRMATIONS",
    `Fewer than ${t} holders of position ${short} confirmed the sets; ${signers.size} devices did in all.`,
  );
}
