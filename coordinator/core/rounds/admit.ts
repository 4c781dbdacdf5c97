import { bytesToHex, hexToBytes } from "#shared/kernel/bytes.ts";
import type { Position, Seat } from "#shared/kernel/places.ts";
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
import type { CoordinatorPorts } from "../ports/ports.ts";
import {
  attemptOf,
  type RoundTerms,
  rosterMemberOf,
  type Session,
  sessionOfSeat,
  sha256Hex,
} from "./session.ts";
import type { EventBody, Submission } from "./submission.ts";

/*
 * From a message to an event: who sent it, whether it belongs to the current attempt and step, and every
 * check that the devices will make. Nothing is changed here. What is to be stored with the event is
 * handed over with it.
 */

type AdmitPorts = Pick<
  CoordinatorPorts,
  "primitives" | "issuer" | "store" | "projectId" | "log" | "publicLog"
>;
type Answer = DeviceMessageOf<"advertise" | "share" | "confirm" | "unmask" | "complaint">;
export type Admitted = Result<Submission, ErrorCode>;

export interface Admission {
  readonly ports: AdmitPorts;
  readonly terms: RoundTerms;
  readonly state: RoundState;
  /** Sessions of the current attempt; empty before there is a roster. */
  readonly sessions: readonly Session[];
}

export function admit(admission: Admission, identity: string, message: Answer): Promise<Admitted> {
  if (message.type === "advertise") return admitAdvert(admission, identity, message);
  const { sessions, state } = admission;
  if (!sessions.some(({ sid }) => sid === message.sid)) return Promise.resolve(err("STATE"));
  const seat = "seats" in state ? state.seats.get(identity) : undefined;
  if (seat === undefined) return Promise.resolve(err("NOT_IN_ROSTER"));
  const session = sessionOfSeat(sessions, seat);
  if (message.sid !== session.sid) return Promise.resolve(err("STATE"));
  const sender: Sender = { ...admission, session, seat, position: session.positionOf(seat) };
  switch (message.type) {
    case "share":
      return admitShare(sender, message);
    case "confirm":
      return admitConfirmation(sender, message);
    case "unmask":
      return admitUnmask(sender, message);
    case "complaint":
      return admitComplaint(sender, message);
  }
}

interface Sender extends Admission {
  readonly session: Session;
  /** Seat in the round, for its log. */
  readonly seat: Seat;
  /** Position in the session, for everything else. */
  readonly position: Position;
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
  const member = await rosterMemberOf(ports, { identity, advert });
  // The machine checks that no key repeats, because it knows the other adverts at that time.
  const verified = await verifyAdvert(ports.primitives, header, member, []);
  if (!verified.ok) return err(verified.error === "BAD_ADVERT_SIG" ? "BAD_SIGNATURE" : verified.error);
  return ok(event({ type: "advertised", attempt, identity, advert }));
}

/** R1. */
async function admitShare(from: Sender, message: DeviceMessageOf<"share">): Promise<Admitted> {
  const { ports, session, state, seat, position } = from;
  const bundle = await verifyShareBundle(ports.primitives, session.roster, position, message);
  if (!bundle.ok) return bundle;
  const bytes = encodeFrame(message);
  const digest = await sha256Hex(ports, bytes);
  return ok({
    ...event({ type: "shared", attempt: state.attempt, seat, digest }),
    records: [{ type: "material", sid: session.sid, step: "share", position, bytes }],
    taken: () => session.addBundle(bundle.value),
  });
}

/** R3. */
async function admitConfirmation(from: Sender, message: DeviceMessageOf<"confirm">): Promise<Admitted> {
  const { ports, session, state, seat, position } = from;
  if (!("u3" in state)) return err("STATE");
  if (!state.u3.includes(seat)) return err("ME_DROPPED");
  const sets = await session.sets(state);
  const verified = await verifyConfirmation(ports.primitives, session.roster, sets, position, message);
  if (!verified.ok) return verified;
  const signature = bytesToHex(message.signature);
  return ok(event({ type: "confirmed", attempt: state.attempt, seat, signature }));
}

/** R4. Durable before it is acknowledged, so that a restart resumes. */
async function admitUnmask(from: Sender, message: DeviceMessageOf<"unmask">): Promise<Admitted> {
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
    records: [{ type: "material", sid: session.sid, step: "unmask", position, bytes }],
    taken: () => {
      // An honest holder checked each share against its commitment before R2, so this holder is to blame. Its
      // other shares count like any (S9).
      if (offCommitment.length > 0)
        ports.log.warn({ sid: session.sid, position, offCommitment }, "shares do not match what was dealt");
      session.addOpening(opening.value);
    },
  });
}

function unmaskReceived({ state, seat }: Sender, digest: string, offCommitment: readonly Seat[]): Submission {
  return event({ type: "unmask-received", attempt: state.attempt, seat, digest, offCommitment });
}

async function admitComplaint(from: Sender, message: DeviceMessageOf<"complaint">): Promise<Admitted> {
  const { ports, session, state, seat, position } = from;
  const verified = await verifyComplaint(ports.primitives, session.roster, position, message);
  if (!verified.ok) return verified;
  const against = session.seatOf(message.against);
  return ok(event({ type: "complained", attempt: state.attempt, seat, against }));
}

/** R2, before a byte is read: the slot is open for this device, and it signed what it announces. */
export async function admitUpload(
  { ports, state, sessions }: Admission,
  sid: string,
  position: Position,
  headers: InputHeaders,
  byteCount: number,
): Promise<Result<void, ErrorCode>> {
  const session = sessions.find((one) => one.sid === sid);
  if (session === undefined) return err("BAD_SLOT");
  if (!("u2" in state) || !state.u2.includes(session.seatOf(position))) return err("BAD_SLOT");
  const { log } = headers;
  const [root, signature] = [hexToBytes(headers.root), hexToBytes(headers.signature)];
  const claim = { byteCount, root, signature, ...(log === undefined ? {} : { log }) };
  const verified = await verifyInput(
    ports.primitives,
    session.roster,
    await session.u2(state),
    position,
    claim,
  );
  if (!verified.ok || log === undefined) return verified;
  // A head of another log would stand in the transcript as if this coordinator had shown it (A42).
  return (await ports.publicLog?.isHead({ size: log.size, root: hexToBytes(log.root) })) === true
    ? verified
    : err("NOT_LOGGED");
}

function event(body: EventBody): Submission {
  return { event: body };
}
