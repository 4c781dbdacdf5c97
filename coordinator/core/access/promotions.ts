import type { ProposedAct } from "#shared/access/log.ts";
import { err, type Result } from "#shared/kernel/result.ts";
import { type WireError, wireError } from "#shared/protocol/errors.ts";

/** A version to be put in use despite its gates, as two admins decided. */
export interface Override {
  readonly act: Omit<Extract<ProposedAct, { type: "promote-despite-gates" }>, "type">;
  readonly proposalId: string;
  readonly reason: string;
  readonly proposedBy: string;
  /** Who agreed. */
  readonly actor: string;
  /** The marks of both in the public log: who proposed, who agreed. @param at  Unix milliseconds of the event. */
  readonly marks: (at: number) => Promise<readonly [string | null, string | null]>;
}

/** Promotions that take two people. */
export interface Overrides {
  /** Why it cannot be proposed: NOT_FOUND, or CONFLICT if the champion is another one. Null if it can. */
  overrideRefusal(act: Override["act"]): Promise<WireError | null>;
  /** Promotes once, however often it is asked for the same proposal. Errors: as above; nothing is promoted then. */
  promoteDespiteGates(override: Override): Promise<Result<void, WireError>>;
}

/** Of a coordinator that has no models. */
export const NO_OVERRIDES: Overrides = {
  overrideRefusal: async () => wireError("UNAVAILABLE"),
  promoteDespiteGates: async () => err(wireError("UNAVAILABLE")),
};
