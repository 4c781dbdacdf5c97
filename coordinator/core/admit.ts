import { bytesToHex, hexToBytes } from "#shared/kernel/bytes.ts";
import { err, ok, type Result } from "#shared/kernel/result.ts";
import type { ErrorCode } from "#shared/protocol/errors.ts";
import { encodeFrame } from "#shared/protocol/frame.ts";
import type { DeviceMessageOf, InputHeaders } from "#shared/protocol/messages/device.ts";
import type { Advert } from "#shared/round/event.ts";
import type { RoundState } from "#shared/round/state.ts";
import {
  verifyAdvert,
  verifyComplaint,
  verifyConfirmation,
  verifyInput,
  verifyShareBundle,
  verifyUnmask,
} from "#shared/secagg/server.ts";
import type { CoordinatorPorts } from "./ports.ts";
import { attemptOf, memberOf, type RoundTerms, type Session, sessionOfSeat, sha256Hex } from "./session.ts";
import type { EventBody, Submission } from "./submission.ts";

/*
 * From a message to an event: who sent it, whether it belongs to the current attempt and step, and every check that the
 * devices will make. Nothing is changed here; what must be stored before the event is written is handed over with it.
 */

type AdmitPorts = Pick<CoordinatorPorts, "primitives" | "issuer" | "store" | "projectId" | "log">;
type Answer = DeviceMessageOf<"advertise" | "share" | "confirm" | "unmask" | "complaint">;
export type Admitted = Result<Submission, ErrorCode>;

export interface Admission {
  readonly ports: AdmitPorts;
  readonly terms: RoundTerms;
  readonly state: RoundState;
  /** Of the current attempt; none before there is a roster. */
  readonly sessions: readonly Session[];
}

export function admit(admission: Admission, identity: string, message: Answer): Promise<Admitted> {
  if (message.type === "advertise") return admitAdvert(admission, identity, message);
  const { sessions, state } = admission;
  if (!sessions.some(({ sid }) => sid === message.sid)) return Promise.resolve(err("STATE"));
  const number = "seats" in state ? state.seats.get(identity) : undefined;
  if (number === undefined) return Promise.resolve(err("NOT_IN_ROSTER"));
  const session = sessionOfSeat(sessions, number);
  if (message.sid !== session.sid) return Promise.resolve(err("STATE"));
  const seat: Seat = { ...admission, session, seat: number, position: session.positionOf(number) };
  switch (message.type) {
    case "share":
      return admitShare(seat, message);
    case "confirm":
      return admitConfirmation(seat, message);
    case "unmask":
      return admitUnmask(seat, message);
    case "complaint":
      return admitComplaint(seat, message);
  }
}

interface Seat extends Admission {
  readonly session: Session;
  /** Of the round, for its log. */
  readonly seat: number;
  /** In the session, for everything else. */
  readonly position: number;
}

/** R0. */
async function admitAdvert(
  { ports, terms, state }: Admission,
  identity: string,
  message: DeviceMessageOf<"advertise">,
): Promise<Admitted> {
  const { runId, round, attempt } = message;
  const current = runId === terms.runId && round === terms.round && attempt === state.attempt;
  if (!current || (state.phase !== "training" && state.phase !== "advertising")) return err("STATE");
  const advert: Advert = {
    c: bytesToHex(message.c),
    s: bytesToHex(message.s),
    bCommit: bytesToHex(message.bCommit),
    signature: bytesToHex(message.signature),
  };
  const invited = state.members.get(identity);
  if (invited === undefined) return err("NOT_IN_ROSTER");
  const header = await attemptOf(ports, terms, state, invited.shard);
  const member = await memberOf(ports, { identity, advert });
  // That no key repeats is the machine's matter: it knows the other adverts when this one's turn comes.
  const verified = await verifyAdvert(ports.primitives, header, member, []);
  if (!verified.ok) return err(verified.error === "BAD_ADVERT_SIG" ? "BAD_SIGNATURE" : verified.error);
  return ok(event({ type: "advertised", attempt, identity, advert }));
}

/** R1. */
async function admitShare(from: Seat, message: DeviceMessageOf<"share">): Promise<Admitted> {
  const { ports, session, state, seat, position } = from;
  const bundle = await verifyShareBundle(ports.primitives, session.roster, position, message);
  if (!bundle.ok) return bundle;
  const bytes = encodeFrame(message);
  const digest = await sha256Hex(ports, bytes);
  return ok({
    ...event({ type: "shared", attempt: state.attempt, position: seat, digest }),
    before: async () => {
      const saved = await ports.store.saveMaterial(session.sid, "share", position, bytes);
      if (saved === "different") return "CONFLICT";
      session.addBundle(bundle.value);
      return null;
    },
  });
}

/** R3. */
async function admitConfirmation(from: Seat, message: DeviceMessageOf<"confirm">): Promise<Admitted> {
  const { ports, session, state, seat, position } = from;
  if (!("u3" in state)) return err("STATE");
  if (!state.u3.includes(seat)) return err("ME_DROPPED");
  const sets = await session.sets(state);
  const verified = await verifyConfirmation(ports.primitives, session.roster, sets, position, message);
  if (!verified.ok) return verified;
  const signature = bytesToHex(message.signature);
  return ok(event({ type: "confirmed", attempt: state.attempt, position: seat, signature }));
}

/** R4: durable before it is acknowledged, so that a restart resumes. */
async function admitUnmask(from: Seat, message: DeviceMessageOf<"unmask">): Promise<Admitted> {
  const { ports, session, state, seat, position } = from;
  if (state.phase === "confirming" || !("u3" in state)) return err("STATE");
  if (!state.u3.includes(seat)) return err("ME_DROPPED");
  if (state.phase !== "unmasking") return ok(unmaskReceived(from, "", []));
  const [sets, bundles] = [await session.sets(state), await session.bundles()];
  const opening = await verifyUnmask(ports.primitives, session.roster, sets, bundles, position, message);
  if (!opening.ok) return opening;
  const bytes = encodeFrame(message);
  const digest = await sha256Hex(ports, bytes);
  const { offCommitment } = opening.value;
  return ok({
    ...unmaskReceived(
      from,
      digest,
      offCommitment.map((owner) => session.seatOf(owner)),
    ),
    before: async () => {
      const saved = await ports.store.saveMaterial(session.sid, "unmask", position, bytes);
      if (saved === "different") return "CONFLICT";
      // An honest holder checked each share against its commitment before R2: this one is to blame, and its other
      // shares count as any (S9).
      if (offCommitment.length > 0)
        ports.log.warn({ sid: session.sid, position, offCommitment }, "shares are not those that were dealt");
      session.addOpening(opening.value);
      return null;
    },
  });
}

function unmaskReceived({ state, seat }: Seat, digest: string, offCommitment: readonly number[]): Submission {
  return event({ type: "unmask-received", attempt: state.attempt, position: seat, digest, offCommitment });
}

async function admitComplaint(from: Seat, message: DeviceMessageOf<"complaint">): Promise<Admitted> {
  const { ports, session, state, seat, position } = from;
  const verified = await verifyComplaint(ports.primitives, session.roster, position, message);
  if (!verified.ok) return verified;
  const against = session.seatOf(message.against);
  return ok(event({ type: "complained", attempt: state.attempt, position: seat, against }));
}

/** R2, before a byte is read: the slot is open for this device and it signed what it announces. */
export async function admitUpload(
  { ports, state, sessions }: Admission,
  sid: string,
  position: number,
  headers: InputHeaders,
  byteCount: number,
): Promise<Result<void, ErrorCode>> {
  const session = sessions.find((one) => one.sid === sid);
  if (session === undefined) return err("BAD_SLOT");
  if (!("u2" in state) || !state.u2.includes(session.seatOf(position))) return err("BAD_SLOT");
  const claim = { byteCount, root: hexToBytes(headers.root), signature: hexToBytes(headers.signature) };
  return verifyInput(ports.primitives, session.roster, await session.u2(state), position, claim);
}

function event(body: EventBody): Submission {
  return { event: body };
}
