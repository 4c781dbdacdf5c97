import type { Seat } from "../kernel/places.ts";
import type { ErrorCode } from "../protocol/errors.ts";
import type { RoundState } from "./state.ts";

/** A message that a device needs now. The driver fills it in. */
export type Prompt =
  | { readonly type: "invite" }
  | { readonly type: "roster"; readonly seat: Seat }
  | { readonly type: "collect"; readonly seat: Seat }
  | { readonly type: "sets"; readonly seat: Seat }
  | { readonly type: "open"; readonly seat: Seat }
  | { readonly type: "outcome"; readonly seat: Seat }
  | {
      readonly type: "abandoned";
      readonly attempt: number;
      readonly code: ErrorCode;
      readonly retry: boolean;
    };

/**
 * The messages for this device, in order, after a transition that concerns it and whenever it comes back. Empty if it has
 * answered and waits, or has no part in the round. Rule R12.
 */
export function promptsFor(state: RoundState, identity: string): readonly Prompt[] {
  const member = state.members.get(identity);
  if (member === undefined || !member.invited) return [];
  const seat = "seats" in state ? (state.seats.get(identity) ?? null) : null;

  if (state.phase === "committed" || state.phase === "voided") {
    if (seat !== null && state.u3.includes(seat)) return [{ type: "outcome", seat }];
  }
  if (member.out !== null) {
    if (member.out === "LEFT") return [];
    return [
      { type: "abandoned", attempt: member.outAttempt ?? state.attempt, code: member.out, retry: false },
    ];
  }
  switch (state.phase) {
    case "recruiting":
      return [];
    case "training":
      return [{ type: "invite" }];
    case "advertising":
      if (state.adverts.has(identity)) return [];
      if (state.attempt === 1) return [{ type: "invite" }];
      return [
        { type: "abandoned", attempt: state.attempt - 1, code: state.retriedFor ?? "STATE", retry: true },
      ];
    case "failed":
      return [{ type: "abandoned", attempt: state.attempt, code: state.code, retry: false }];
    case "sharing":
      return seat === null || state.bundles.has(seat) ? [] : [{ type: "roster", seat }];
    case "collecting":
      return seat === null || state.inputs.has(seat) ? [] : [{ type: "collect", seat }];
    case "confirming":
      return seat === null || state.confirmations.has(seat) ? [] : [{ type: "sets", seat }];
    case "unmasking": {
      if (seat === null || state.responses.has(seat)) return [];
      // If the device has not confirmed yet, it must see the sets before it is asked to open them.
      const open: Prompt = { type: "open", seat };
      return state.confirmations.has(seat) ? [open] : [{ type: "sets", seat }, open];
    }
    case "committed":
    case "voided":
      return [];
  }
}
