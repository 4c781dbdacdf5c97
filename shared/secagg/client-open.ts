import { verifyInclusion } from "../crypto/merkle.ts";
import { verifySignature } from "../crypto/signature.ts";
import { present } from "../kernel/assert.ts";
import { type Bytes, bytesToHex, equalBytes } from "../kernel/bytes.ts";
import type { Position } from "../kernel/places.ts";
import type { Primitives } from "../kernel/ports.ts";
import { err, ok, type Result } from "../kernel/result.ts";
import type { ErrorCode } from "../protocol/errors.ts";
import type { CoordinatorMessageOf } from "../protocol/messages/coordinator.ts";
import type { DeviceMessageOf } from "../protocol/messages/device.ts";
import { agreedLog } from "../task/config.ts";
import type { ClientTools, HeldShare, Masked, Revealed, Signed } from "./client-state.ts";
import { confirmationsRoot } from "./confirmations-root.ts";
import { inputLeafHash } from "./input.ts";
import { checkSurvivorsLogged, type LogFault, logRefusal } from "./log-demand.ts";
import { setOfBitmap, without } from "./position-sets.ts";
import { memberAt, reachesThreshold } from "./roster.ts";
import type { SeenLog } from "./seen-log.ts";
import { type OwnedShare, setsItem, unmaskItem } from "./signed-items.ts";

/**
 * R3: confirms U2 and U3. From then on the device holds only one share of each device of U2: of b for a survivor, of z for
 * a dropout. The other is wiped before the confirmation exists, so no later message can contain it (S1).
 *
 * Errors: `EQUIVOCATION` if the input was masked for another U2, `BAD_MESSAGE`, `U3_NOT_IN_U2`, `ME_DROPPED`,
 * `U3_BELOW_T`. Rules S1, S6, S8.
 */
export async function confirmSets(
  { primitives, signer }: ClientTools,
  state: Masked,
  message: CoordinatorMessageOf<"sets">,
  heard: Bytes,
): Promise<Result<Signed, ErrorCode>> {
  const { roster, position, u2 } = state;
  if (!equalBytes(message.u2, u2.bitmap)) return err("EQUIVOCATION");
  const read = await setOfBitmap(primitives, roster, message.u3);
  if (!read.ok) return err("BAD_MESSAGE");
  const u3 = read.value;
  if (without(u3, u2).length > 0) return err("U3_NOT_IN_U2");
  const survivors = new Set(u3.positions);
  if (!survivors.has(position)) return err("ME_DROPPED");
  if (survivors.size < roster.thresholds.q) return err("U3_BELOW_T");
  if (!reachesThreshold(roster, position, survivors)) return err("U3_BELOW_T");

  const bShares: HeldShare[] = [];
  const zShares: HeldShare[] = [];
  const ascending = [...state.shares].sort(([left], [right]) => left - right);
  for (const [owner, { b, z }] of ascending) {
    if (survivors.has(owner)) {
      z?.wipe();
      bShares.push({ owner, share: b });
    } else {
      b.wipe();
      zShares.push({ owner, share: present(z, "the device itself is a survivor") });
    }
  }
  const signature = await signer.sign(setsItem(roster.sid, u2.hash, u3.hash));
  return ok({
    phase: "signed",
    turn: state.turn,
    roster,
    position,
    heard: { ...state.heard, sets: heard },
    sets: { u2, u3 },
    bShares,
    zShares,
    inputRoot: state.inputRoot,
    answer: { type: "confirm", sid: roster.sidHex, signature },
  });
}

/** SHA-256 of the item that R3 signs: the device's only ballot in this session. */
export function ballotHash(primitives: Primitives, state: Signed): Promise<Bytes> {
  const { roster, sets } = state;
  return primitives.sha256(setsItem(roster.sid, sets.u2.hash, sets.u3.hash));
}

/**
 * R4: reveals the device's shares once t devices have confirmed the same sets as this device.
 *
 * Errors: `EQUIVOCATION` if the sets differ, `BAD_SET_SIG`, `NOT_ENOUGH_SIGS`, `NOT_LOGGED`, `LOG_CONTRADICTED`. Rules S1,
 * S6, A41.
 */
export async function revealShares(
  { primitives, signer }: ClientTools,
  state: Signed,
  message: CoordinatorMessageOf<"open">,
): Promise<Result<Revealing, RevealRefusal>> {
  const { roster, position, sets, bShares, zShares, inputRoot, turn, heard } = state;
  if (!sameSets(state, message)) return err({ code: "EQUIVOCATION", logFault: null });
  const confirmed = await checkConfirmations(primitives, state, message.confirmations);
  if (!confirmed.ok) return err({ code: confirmed.error, logFault: null });
  const logged = await survivorsLogged(primitives, state, message);
  if (!logged.ok) return err({ code: logRefusal(logged.error).code, logFault: logged.error });
  const hashes = { u2Hash: sets.u2.hash, u3Hash: sets.u3.hash };
  const item = unmaskItem(roster.sid, position, hashes, bShares.map(bare), zShares.map(bare));
  const signature = await signer.sign(item);
  item.fill(0);
  const next: Revealed = {
    phase: "revealed",
    turn,
    roster,
    position,
    heard,
    sets,
    bShares,
    zShares,
    inputRoot,
    signature,
  };
  return ok({ next, log: logged.value });
}

export interface Revealing {
  readonly next: Revealed;
  /** What the device has then seen of the public log; null without one. */
  readonly log: SeenLog | null;
}
export interface RevealRefusal {
  readonly code: ErrorCode;
  readonly logFault: LogFault | null;
}

/** A41. */
async function survivorsLogged(
  primitives: Primitives,
  { roster, sets }: Signed,
  { confirmations, log: proof }: CoordinatorMessageOf<"open">,
): Promise<Result<SeenLog | null, LogFault>> {
  const { config, log: seen } = roster.attempt.terms;
  if (agreedLog(config) === null) return ok(null);
  if (seen === undefined) return err({ type: "no-proof" });
  const signatureRoot = bytesToHex(await confirmationsRoot(primitives, confirmations));
  const own = {
    sid: roster.sidHex,
    u2: bytesToHex(sets.u2.hash),
    u3: bytesToHex(sets.u3.hash),
    signatureRoot,
  };
  return checkSurvivorsLogged(primitives, config, proof, seen, own);
}

/** The R4 message. It has the same bytes every time. */
export function unmaskMessage(state: Revealed): DeviceMessageOf<"unmask"> {
  const owned = ({ owner, share }: HeldShare) => ({
    owner,
    share: share.reveal().slice(),
  });
  return {
    type: "unmask",
    sid: state.roster.sidHex,
    bShares: state.bShares.map(owned),
    zShares: state.zShares.map(owned),
    signature: state.signature,
  };
}

/** True if an `open` names the sets that this device confirmed. */
export function sameSets(state: Signed | Revealed, message: CoordinatorMessageOf<"open">): boolean {
  const { u2, u3 } = state.sets;
  return equalBytes(message.u2, u2.bitmap) && equalBytes(message.u3, u3.bitmap);
}

/** Checks that all confirmations are valid, by different survivors in ascending order, t or more by this device's holders. */
export async function checkConfirmations(
  primitives: Primitives,
  { roster, position, sets }: Pick<Signed, "roster" | "position" | "sets">,
  confirmations: CoordinatorMessageOf<"open">["confirmations"],
): Promise<Result<void, "BAD_SET_SIG" | "NOT_ENOUGH_SIGS">> {
  const survivors = new Set(sets.u3.positions);
  let before = 0;
  for (const { signer } of confirmations) {
    if (signer <= before || !survivors.has(signer)) return err("BAD_SET_SIG");
    before = signer;
  }
  const signers = new Set<Position>(confirmations.map(({ signer }) => signer));
  if (!reachesThreshold(roster, position, signers)) return err("NOT_ENOUGH_SIGS");
  const item = setsItem(roster.sid, sets.u2.hash, sets.u3.hash);
  const verdicts = await Promise.all(
    confirmations.map(({ signer, signature }) =>
      verifySignature(primitives, memberAt(roster, signer).identity, item, signature),
    ),
  );
  return verdicts.every(Boolean) ? ok(undefined) : err("BAD_SET_SIG");
}

/**
 * True if a committed outcome includes this device's input at its place among the survivors. A device that never received
 * U3, because it was away since its upload, accepts the count and place of the message if some U3 within its U2 with at
 * least q devices could have them (S8). Who the others were, it can only read from the round's record.
 */
export async function ownInputIncluded(
  primitives: Primitives,
  state: Masked | Signed | Revealed,
  result: Extract<CoordinatorMessageOf<"outcome">["result"], { kind: "committed" }>,
): Promise<boolean> {
  if (state.phase !== "masked") {
    const survivors = state.sets.u3.positions;
    if (result.survivorCount !== survivors.length) return false;
    if (result.leafIndex !== survivors.indexOf(state.position)) return false;
  } else if (!couldBeItsPlace(state, result.survivorCount, result.leafIndex)) return false;
  return verifyInclusion(primitives, {
    leafHash: await inputLeafHash(primitives, state.inputRoot),
    index: result.leafIndex,
    size: result.survivorCount,
    path: result.path,
    root: result.inputsRoot,
  });
}

function couldBeItsPlace(
  { roster, position, u2 }: Masked,
  survivorCount: number,
  leafIndex: number,
): boolean {
  if (survivorCount < roster.thresholds.q) return false;
  const before = u2.positions.indexOf(position);
  return leafIndex <= before && survivorCount - 1 - leafIndex <= u2.positions.length - 1 - before;
}

function bare({ owner, share }: HeldShare): OwnedShare {
  return { owner, share: share.reveal() };
}
