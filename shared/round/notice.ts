import type { ErrorCode } from "../protocol/errors.ts";
import type { RoundState } from "./state.ts";

/** Which messages a device needs now; the driver fills them in. A position is a seat of the round. */
export type Notice =
  | { readonly type: "invite" }
  | { readonly type: "roster"; readonly position: number }
  | { readonly type: "collect"; readonly position: number }
  | { readonly type: "sets"; readonly position: number }
  | { readonly type: "open"; readonly position: number }
  | { readonly type: "outcome"; readonly position: number }
  | {
      readonly type: "abandoned";
      readonly attempt: number;
      readonly code: ErrorCode;
      readonly retry: boolean;
    };

/**
 * What to tell this device, in order: after a transition that concerns it, and whenever it comes back. Empty where it
 * has answered and waits, or has no part in the round. Rule R12.
 */
export function noticesFor(state: RoundState, identity: string): readonly Notice[] {
  const member = state.members.get(identity);
  if (member === undefined || !member.invited) return [];
  const position = "seats" in state ? (state.seats.get(identity) ?? null) : null;

  if (state.phase === "committed" || state.phase === "voided") {
    if (position !== null && state.u3.includes(position)) return [{ type: "outcome", position }];
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
      return position === null || state.bundles.has(position) ? [] : [{ type: "roster", position }];
    case "collecting":
      return position === null || state.inputs.has(position) ? [] : [{ type: "collect", position }];
    case "confirming":
      return position === null || state.confirmations.has(position) ? [] : [{ type: "sets", position }];
    case "unmasking": {
      if (position === null || state.responses.has(position)) return [];
      // A device that has not confirmed yet has to see the sets before it is asked to open them.
      const open: Notice = { type: "open", position };
      return state.confirmations.has(position) ? [open] : [{ type: "sets", position }, open];
    }
    case "committed":
    case "voided":
      return [];
  }
}
