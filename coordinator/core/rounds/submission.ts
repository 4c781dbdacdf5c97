import type { ErrorCode } from "#shared/protocol/errors.ts";
import type { RoundEvent } from "#shared/round/event.ts";
import type { StoreRecord } from "../ports/ports.ts";

/** An event without its time, which the driver adds when the event's turn comes. */
export type EventBody = Body<RoundEvent>;
type Body<Event> = Event extends RoundEvent ? Omit<Event, "atMs"> : never;

export interface Submission {
  readonly event: EventBody;
  /** What the device sent, written with the event. */
  readonly records?: readonly StoreRecord[];
  /** Called once the event is written and its state adopted, before its effects run. */
  readonly taken?: () => void;
}

export type Submitted =
  | { readonly type: "taken" }
  /** Accepted earlier, or too late to matter. */
  | { readonly type: "known" }
  | { readonly type: "refused"; readonly code: ErrorCode };
