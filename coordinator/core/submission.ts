import type { ErrorCode } from "#shared/protocol/errors.ts";
import type { RoundEvent } from "#shared/round/event.ts";

/** An event without its time, which the driver gives it in the order of the queue. */
export type EventBody = Body<RoundEvent>;
type Body<Event> = Event extends RoundEvent ? Omit<Event, "atMs"> : never;

export interface Submission {
  readonly event: EventBody;
  /** Runs in the queue, before the event is written, and only if the event would change the round. */
  readonly before?: () => Promise<ErrorCode | null>;
}

export type Submitted =
  | { readonly type: "taken" }
  /** It had been taken before, or comes too late to matter. */
  | { readonly type: "known" }
  | { readonly type: "refused"; readonly code: ErrorCode };
