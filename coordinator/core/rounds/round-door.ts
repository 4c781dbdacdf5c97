import { present } from "#shared/kernel/assert.ts";
import { bytesToHex } from "#shared/kernel/bytes.ts";
import type { Position } from "#shared/kernel/places.ts";
import { err, ok, type Result } from "#shared/kernel/result.ts";
import type { Receipt } from "#shared/protocol/api.ts";
import { type ErrorCode, finalError, type WireError, wireError } from "#shared/protocol/errors.ts";
import { encodeFrame } from "#shared/protocol/frame.ts";
import type { DeviceMessageOf, InputHeaders } from "#shared/protocol/messages/device.ts";
import type { Reply } from "#shared/protocol/messages/reply.ts";
import type { UploadTicket } from "../coordinator.ts";
import type { CoordinatorPorts } from "../ports/ports.ts";
import { admit, admitUpload } from "./admit.ts";
import type { RoundDriver } from "./round-driver.ts";
import type { TrafficStep } from "./traffic.ts";

/* What a device sends to its round: judged outside the queue, counted inside it. */

const STEP_OF_MESSAGE = {
  advertise: "keys",
  share: "shares",
  confirm: "confirmation",
  unmask: "opening",
  complaint: "confirmation",
} as const satisfies Record<string, TrafficStep>;

export async function answerDevice(
  round: RoundDriver,
  identity: string,
  message: DeviceMessageOf<"advertise" | "share" | "confirm" | "unmask" | "complaint">,
): Promise<Reply> {
  const admitted = await admit(await round.admission(), identity, message);
  if (!admitted.ok) return { type: "refused", error: finalError(admitted.error) };
  const submitted = await round.submit(admitted.value);
  if (submitted.type === "refused")
    return { type: "refused", error: submissionRefusal(round, submitted.code) };
  round.traffic.count(identity, STEP_OF_MESSAGE[message.type], "up", encodeFrame(message).length);
  return { type: "accepted" };
}

/**
 * Checks what a device announces about its input before any byte is read. The slot's token has been checked.
 */
export async function beginUpload(
  round: RoundDriver,
  sid: string,
  position: Position,
  headers: InputHeaders,
): Promise<Result<UploadTicket, WireError>> {
  const { terms } = round.context;
  const byteCount = 4 * terms.layout.length;
  const admission = await round.admission();
  const admitted = await admitUpload(admission, sid, position, headers, byteCount);
  if (!admitted.ok) return err(finalError(admitted.error));
  const { state } = admission;
  const { sha256, root, signature, log } = headers;
  const seen = log === undefined ? {} : { log };
  const ticket = { sid, position, byteCount, sha256, root, signature, ...seen };
  const session = present(
    admission.sessions.find((one) => one.sid === sid),
    "a session that was admitted",
  );
  const taken = "inputs" in state ? state.inputs.get(session.seatOf(position)) : undefined;
  if (taken !== undefined) {
    if (taken.sha256 !== sha256 || taken.root !== root) return err(wireError("CONFLICT"));
    return ok({ ...ticket, receipt: receiptOf(ticket) });
  }
  if (state.phase !== "collecting") return err(finalError("SLOT_CLOSED"));
  return ok({ ...ticket, receipt: null });
}

/** Counts an input that is on disk and verified. Rule R2. */
export async function finishUpload(
  round: RoundDriver,
  ticket: UploadTicket,
): Promise<Result<Receipt, WireError>> {
  const { sid, position, sha256, root, signature, byteCount, log } = ticket;
  const seen = log === undefined ? {} : { log };
  const session = (await round.admission()).sessions.find((one) => one.sid === sid);
  if (session === undefined) {
    await discardLate(round.context.ports, ticket);
    return err(finalError("SLOT_CLOSED"));
  }
  const { attempt } = session.roster.attempt.terms;
  const submitted = await round.submit({
    event: { type: "input-received", attempt, seat: session.seatOf(position), sha256, root, ...seen },
    records: [{ type: "input", input: { sid, position, sha256, root, signature, byteCount } }],
  });
  if (submitted.type === "refused") {
    await discardLate(round.context.ports, ticket);
    return err(submissionRefusal(round, submitted.code));
  }
  const member = session.roster.members[position - 1];
  if (member !== undefined) {
    round.traffic.count(bytesToHex(member.identity), "input", "up", byteCount);
  }
  return ok(receiptOf(ticket));
}

/**
 * Deletes bytes that arrive after their slot was closed, since they are in no sum. Inputs with a receipt
 * stay. PROTOCOL.md section 8.
 */
export async function discardLate(
  { store, spool }: Pick<CoordinatorPorts, "store" | "spool">,
  { sid, position }: Pick<UploadTicket, "sid" | "position">,
): Promise<void> {
  const slot = await store.findSlot(sid, position);
  if (slot === null || slot.open) return;
  const receipted = await store.listInputs(sid);
  await spool.discard(
    sid,
    receipted.map((input) => input.position),
  );
}

function receiptOf({ sid, position, sha256, byteCount }: Omit<UploadTicket, "receipt">): Receipt {
  return { sid: sid as Receipt["sid"], position, sha256: sha256 as Receipt["sha256"], byteCount };
}

/** A decision of the round is final. If its driver died before deciding, the next driver may decide. */
function submissionRefusal(round: RoundDriver, code: ErrorCode): WireError {
  return round.closed ? wireError(code) : finalError(code);
}
