import { z } from "zod";

/**
 * Every code that crosses a wire, with what to do next. On the wire an error is `{ code, message, retry }` and nothing
 * else: no stack, no secret, no other person's data. Rule W1.
 *
 * `retry` says whether what was refused may be tried again: the same message, or, if a device refuses a round, taking
 * part. It is a property of the error, not of its code: the values here are the usual ones, and whoever receives an
 * error reads its own.
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
    "This is not taken from that address or page. Use the address that the coordinator printed.",
  ],
  RATE_LIMITED: ["later", "Too many at once. Wait a minute and try again."],
  REQUEST_TIMEOUT: [
    "now",
    "The request did not arrive in time. Nothing was counted. Send it again, at once.",
  ],
  INTERNAL: ["later", "The coordinator failed at this. Nothing was counted. Try again in a minute."],
  UNAVAILABLE: ["later", "The coordinator is starting or stopping. Try again in a moment."],
  CONFLICT: ["never", "This contradicts what is already stored. Nothing was changed."],
  STORAGE_FULL: ["later", "The coordinator has no room for this. Nothing was counted. Try again later."],
  FILE_LOST: [
    "later",
    "A stored file that the coordinator needs is damaged or gone. Nothing was counted. It goes on when the file is restored.",
  ],
  WIRE_VERSION: [
    "never",
    "This device and the coordinator are of different versions. Reload the page, or update the older program.",
  ],
  // Who
  NOT_AUTHENTICATED: ["now", "Say hello and sign the challenge first."],
  BAD_SIGNATURE: [
    "never",
    "The signature does not belong to this key and message. Reload to get the current client.",
  ],
  BAD_CERTIFICATE: ["never", "The coordinator did not certify this key. Check in again."],
  ALREADY_CONNECTED: ["later", "This device already takes part from another tab or process. Close that one."],
  // Checking in
  UNKNOWN_TASK: ["never", "There is no such task. Check the link."],
  TASK_VERSION: ["never", "The task has a newer version. Read it and agree again."],
  NO_RUN: ["later", "No run of this task is open. The device waits for the next one."],
  // Rounds; the codes of secagg/PROTOCOL.md section 9
  STATE: ["later", "This does not belong to the current step of the round. Nothing was counted."],
  CONFIG: ["never", "The rules of this round are not those that were agreed to. Nothing was sent."],
  REPLAY: ["later", "This device has already gone past this round. Nothing was sent."],
  LOCKED: ["later", "Another tab of this browser takes part. Close it, or go on there."],
  BUDGET: ["never", "This device has reached its own limit of rounds. Nothing was sent."],
  BAD_ADVERT_SIG: ["later", "A device in the list did not sign its keys. Nothing was sent."],
  DUP_KEY: ["later", "Two devices of the list share a key. Nothing was sent."],
  LOW_ORDER: ["later", "A key in the list is a degenerate one. Nothing was sent."],
  NOT_IN_ROSTER: [
    "later",
    "The list of this round does not hold this device as it announced itself. It may join the next one.",
  ],
  COHORT_TOO_SMALL: ["later", "Fewer devices came than a round needs. Nothing was sent."],
  SHARE_AUTH: ["later", "A sealed share did not open. The attempt ends before anything can be opened."],
  SHARE_CTX: [
    "later",
    "A sealed share belongs somewhere else. The attempt ends before anything can be opened.",
  ],
  U2_BELOW_T: ["later", "Too few devices shared their keys. The round starts over; nothing was sent."],
  U3_NOT_IN_U2: ["later", "The two lists of this round contradict each other. Nothing more was sent."],
  ME_DROPPED: [
    "later",
    "This device's list came too late. Nothing of it is in the sum. It may join the next round.",
  ],
  U3_BELOW_T: ["later", "Too few masked updates arrived. Nothing was opened."],
  BAD_SET_SIG: ["later", "A confirmation of the list is not signed by its device. No share was given."],
  NOT_ENOUGH_SIGS: ["later", "Too few devices confirmed the same list. Nothing was opened."],
  NOT_LOGGED: ["never", "The list is not in the public log. No share was given."],
  ALREADY_REVEALED: [
    "later",
    "This device has already helped to open a sum for this model. No share was given.",
  ],
  EQUIVOCATION: ["never", "The coordinator said two different things about one step. No share was given."],
  TIMEOUT: [
    "later",
    "The coordinator did not go on in time. Nothing more was sent; the device may join the next round.",
  ],
  BELOW_T: ["later", "Too few shares arrived to open the sum. What had arrived is discarded."],
  BAD_B: ["later", "A rebuilt self mask is not the announced one. The sum is discarded."],
  BAD_S: ["later", "A rebuilt pair key is not the announced one. The sum is discarded."],
  SENTINEL: ["later", "The check numbers of the sum are wrong. The sum is discarded."],
  RANGE: ["later", "The sum lies outside its possible range. It is discarded."],
  COMPLAINT: ["later", "A device reported a share that did not open. The round starts over."],
  VOID_LIMIT: ["never", "Eight sums in a row had to be discarded. The run has ended."],
  EVALUATION_FAILED: [
    "later",
    "The coordinator could not evaluate this model. It is published and the run went on without its figures. The coordinator's log says what failed.",
  ],
  WAIT_EXPIRED: [
    "later",
    "The run was to wait until a time that its launch had set. Too few devices had come by then, or its turn had not. Launch it again.",
  ],
  LOG_UNREADABLE: [
    "never",
    "What was written down of this run cannot be read any more, so it has ended. Its published models stay. Launch a new run.",
  ],
  ABORTED_BY_OPERATOR: ["later", "Someone stopped the run. Nothing was opened."],
  INPUT_DAMAGED: [
    "later",
    "The coordinator's disk damaged an update that it had stored, so its sum was given up. Take part in the next one.",
  ],
  RESTARTED: ["later", "The coordinator restarted. The round starts over; nothing was opened."],
  ENGINE_LOST: [
    "later",
    "The engine of this device stopped while it trained. Nothing of yours was sent, and nothing of yours is lost. Another engine is being tried.",
  ],
  NO_ENGINE: [
    "never",
    "No engine of this device can train this task, so it cannot take part. Nothing was sent. Start again, choose an engine that was left out, or use another device.",
  ],
  NON_FINITE_UPDATE: ["later", "Training on this device gave numbers that are none. Nothing of it was sent."],
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
export const errorCodeSchema = z.enum(Object.keys(ERRORS) as [ErrorCode, ...ErrorCode[]]);

export const wireErrorSchema = z.strictObject({
  code: errorCodeSchema,
  message: z.string().max(2_000),
  retry: z.enum(["now", "later", "never"]),
});
/** What a peer is told. */
export type WireError = z.infer<typeof wireErrorSchema>;

/**
 * The error as it travels.
 *
 * @param detail  What exactly was wrong and what to do, in a sentence; replaces the general one. Holds nothing that the
 *                receiver did not send or may not know.
 */
export function wireError(code: ErrorCode, detail?: string): WireError {
  const [retry, message] = ERRORS[code];
  return { code, message: detail ?? message, retry };
}

/** The error for a message that will be refused however often it is sent, whatever its code usually allows. */
export function finalError(code: ErrorCode, detail?: string): WireError {
  return { ...wireError(code, detail), retry: "never" };
}
