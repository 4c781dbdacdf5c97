import { z } from "zod";
import { type FieldError, fieldErrorSchema } from "./fields.ts";

/**
 * All codes that cross a wire, with what to do next. On the wire an error is `{ code, message, retry }` and nothing else:
 * no stack, no secret, no other person's data. Rule W1.
 *
 * `retry` says if the refused message may be sent again or, if a device refuses a round, if it may take part again. It is
 * a property of the error, not of its code. The values here are defaults; a receiver reads the one in the error.
 */
export const ERRORS = {
  // Bytes and shapes
  BAD_FRAME: ["never", "These bytes are not a Chorus frame. Reload to get the current client."],
  BAD_MESSAGE: [
    "never",
    "This message does not have the shape that its type asks for. Reload to get the current client.",
  ],
  BAD_REQUEST: ["never", "The request does not have the shape that this route asks for."],
  TOO_LARGE: ["never", "This is larger than the limit that /api/v1/limits states. Send less."],
  UNSUPPORTED_MEDIA_TYPE: ["never", "Send this route the content type that the API description names."],
  NOT_FOUND: ["never", "There is nothing under this address. Check the id."],
  METHOD_NOT_ALLOWED: ["never", "This address does not take that method."],
  FORBIDDEN: [
    "never",
    "Requests from that address or page are not accepted. Use the address that the coordinator printed.",
  ],
  RATE_LIMITED: ["later", "Too many at once. Wait a minute and try again."],
  REQUEST_TIMEOUT: [
    "now",
    "The request did not arrive in time. Nothing was counted. Send it again, at once.",
  ],
  INTERNAL: ["later", "The coordinator failed to handle this. Nothing was counted. Try again in a minute."],
  UNAVAILABLE: ["later", "The coordinator is starting or stopping. Try again in a moment."],
  CONFLICT: ["never", "This contradicts what is already stored. Nothing was changed."],
  STORAGE_FULL: ["later", "The coordinator has no room for this. Nothing was counted. Try again later."],
  FILE_LOST: [
    "later",
    "A stored file that the coordinator needs is damaged or gone. Nothing was counted. The coordinator continues once the file is restored.",
  ],
  WIRE_VERSION: [
    "never",
    "This device and the coordinator are of different versions. Reload the page, or update the older program.",
  ],
  // Identity
  NOT_AUTHENTICATED: ["now", "Sign in or send a token first. A device says hello and signs the challenge."],
  NOT_SET_UP: [
    "later",
    "This coordinator has no admin yet. Open the set-up link that it printed where it was started.",
  ],
  STEP_UP_NEEDED: ["now", "This needs a fresh proof of who you are. Use your passkey or password again."],
  WRONG_CREDENTIALS: ["now", "The name or the password is wrong."],
  INSECURE_SIGN_IN: [
    "never",
    "Sign-in is refused over plain HTTP, because anyone on the way could read it. Use the coordinator's HTTPS address.",
  ],
  TOKEN_ENDED: ["never", "This link or token has been used, has run out or was revoked. Ask for a new one."],
  REVOKED: [
    "never",
    "This device may no longer take part. Nothing more of it is sent. Ask whoever gave you access.",
  ],
  BY_INVITATION: [
    "never",
    "This task is by invitation. Open the link that you were given, or start the edge with its token in CHORUS_TOKEN.",
  ],
  BAD_SIGNATURE: [
    "never",
    "The signature does not belong to this key and message. Reload to get the current client.",
  ],
  BAD_CERTIFICATE: ["never", "The coordinator did not certify this key. Check in again."],
  ALREADY_CONNECTED: ["later", "This device already takes part from another tab or process. Close that one."],
  // Checking in
  UNKNOWN_TASK: ["never", "There is no such task. Check the link."],
  TASK_ARCHIVED: [
    "never",
    "This task was archived: it takes no more devices. Nothing more is sent. Its models stay, and a new version may take it up again.",
  ],
  TASK_VERSION: ["never", "The task has a newer version. Read it and agree again."],
  NO_RUN: ["later", "No run of this task is open. The device waits for the next one."],
  // Rounds; the codes of secagg/PROTOCOL.md section 9
  STATE: ["later", "This does not belong to the current step of the round. Nothing was counted."],
  CONFIG: ["never", "The rules of this round are not the ones that were agreed to."],
  REPLAY: ["later", "This device has already gone past this round."],
  LOCKED: ["later", "Another tab of this browser is taking part. Close it, or continue there."],
  BUDGET: ["never", "This device has reached its own limit of rounds."],
  BAD_ADVERT_SIG: ["later", "A device in the list did not sign its keys."],
  DUP_KEY: ["later", "Two devices of the list share a key."],
  LOW_ORDER: ["later", "A key in the list is degenerate."],
  NOT_IN_ROSTER: [
    "later",
    "The list of this round does not contain this device as it announced itself. It may join the next round.",
  ],
  COHORT_TOO_SMALL: ["later", "Fewer devices came than a round needs."],
  SHARE_AUTH: ["later", "A sealed share did not open. The attempt ends before anything can be opened."],
  SHARE_CTX: [
    "later",
    "A sealed share was meant for another session or device. The attempt ends before anything can be opened.",
  ],
  U2_BELOW_T: ["later", "Too few devices shared their keys. The round starts over."],
  U3_NOT_IN_U2: ["later", "The two lists of this round contradict each other."],
  ME_DROPPED: [
    "later",
    "This device's list came too late. Nothing of it is in the sum. It may join the next round.",
  ],
  U3_BELOW_T: ["later", "Too few masked updates arrived. Nothing was opened."],
  BAD_SET_SIG: ["later", "A confirmation of the list is not signed by its device. No share was given."],
  NOT_ENOUGH_SIGS: ["later", "Too few devices confirmed the same list. Nothing was opened."],
  NOT_LOGGED: ["never", "The list is not in the public log. No share was given."],
  LOG_CONTRADICTED: [
    "never",
    "The public log contradicts what this device saw of it before. Sending is off. Keep the file with the evidence.",
  ],
  ALREADY_REVEALED: [
    "later",
    "This device has already helped to open a sum for this model. No share was given.",
  ],
  EQUIVOCATION: ["never", "The coordinator said two different things about one step. No share was given."],
  TIMEOUT: ["later", "The coordinator did not continue in time. The device may join the next round."],
  BELOW_T: ["later", "Too few shares arrived to open the sum. What had arrived is discarded."],
  BAD_B: ["later", "A rebuilt self mask is not the announced one. The sum is discarded."],
  BAD_S: ["later", "A rebuilt pair key is not the announced one. The sum is discarded."],
  SENTINEL: ["later", "The check numbers of the sum are wrong. The sum is discarded."],
  RANGE: ["later", "The sum lies outside its possible range. It is discarded."],
  COMPLAINT: ["later", "A device reported a share that did not open. The round starts over."],
  VOID_LIMIT: ["never", "Eight sums in a row had to be discarded. The run has ended."],
  EVALUATION_FAILED: [
    "later",
    "The coordinator could not evaluate this model. It is published, and the run continued without its figures. The coordinator's log says what failed.",
  ],
  NO_HELD_OUT: [
    "never",
    "The coordinator has no held-out rows for this version, so only the rows that devices keep back judge this model. Held-out rows can be uploaded at any time.",
  ],
  HELD_OUT_REFUSED: [
    "never",
    "These held-out rows do not fit the task. Nothing was stored, and the set in use stays.",
  ],
  WAIT_EXPIRED: [
    "later",
    "The run waited until the time that its launch had set. By then too few devices were ready, or its turn had not come. Launch it again.",
  ],
  LOG_UNREADABLE: [
    "never",
    "The log of this run can no longer be read, so the run has ended. Its published models stay. Launch a new run.",
  ],
  ABORTED_BY_OPERATOR: ["later", "Someone stopped the run. Nothing was opened."],
  INPUT_DAMAGED: [
    "later",
    "The coordinator's disk damaged a stored update, so the sum was given up. Take part in the next round.",
  ],
  RESTARTED: ["later", "The coordinator restarted. The round starts over; nothing was opened."],
  ENGINE_LOST: [
    "later",
    "The engine of this device stopped while it trained. Nothing of yours is lost. Another engine is being tried.",
  ],
  NO_ENGINE: [
    "never",
    "No engine of this device can train this task, so it cannot take part. Start again, choose an engine that was left out, or use another device.",
  ],
  NON_FINITE_UPDATE: ["later", "Training on this device gave numbers that are infinite or undefined."],
  GATES_SHUT: [
    "never",
    "This version does not meet the gates of its task. The model in use stays. Two admins together can put it in use all the same.",
  ],
  // Uploads
  BAD_SLOT: ["never", "This upload slot is unknown, used or closed. Nothing was counted."],
  BAD_LENGTH: [
    "never",
    "The list does not have the length that the round needs. Reload to get the current client. Nothing was counted.",
  ],
  BAD_DIGEST: ["now", "The bytes that arrived are not those that were announced. Send them again."],
  SLOT_CLOSED: [
    "later",
    "The round no longer takes updates. Nothing of this one is in the sum. The device may join the next round.",
  ],
} as const satisfies Record<string, readonly ["now" | "later" | "never", string]>;

export type ErrorCode = keyof typeof ERRORS;
export const ERROR_CODES = Object.keys(ERRORS) as [ErrorCode, ...ErrorCode[]];
export const errorCodeSchema = z.enum(ERROR_CODES);

export const wireErrorSchema = z.strictObject({
  code: errorCodeSchema,
  message: z.string().max(2_000),
  retry: z.enum(["now", "later", "never"]),
  /** With BAD_REQUEST: what is wrong, field by field. */
  fields: z.array(fieldErrorSchema).exactOptional(),
});
/** An error as a peer receives it. */
export type WireError = z.infer<typeof wireErrorSchema>;

/**
 * Makes the error that goes on the wire.
 *
 * @param detail  A sentence that says exactly what was wrong and what to do, in place of the general one. Contains nothing
 *                that the receiver did not send or may not know.
 */
export function wireError(code: ErrorCode, detail?: string): WireError {
  const [retry, message] = ERRORS[code];
  return { code, message: detail ?? message, retry };
}

/** The error for a value with wrong fields. */
export function fieldsError(detail: string, fields: readonly FieldError[]): WireError {
  return { ...wireError("BAD_REQUEST", detail), fields: [...fields] };
}

/** The error for a message that will be refused every time, whatever the default of its code. */
export function finalError(code: ErrorCode, detail?: string): WireError {
  return { ...wireError(code, detail), retry: "never" };
}
