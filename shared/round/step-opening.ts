import { present } from "../kernel/assert.ts";
import type { ErrorCode } from "../protocol/errors.ts";
import { known, type RoundEffect, refuse, type Transition } from "./effect.ts";
import { baseOf, endingEffects, endsNow, retryRound, sealedOf, voidRound } from "./ending.ts";
import type { Combined, Damaged, UnmaskReceived } from "./event.ts";
import { survivorCounts } from "./settle-exchange.ts";
import { byShard, goesOn, leaveOut, shardOfSeat } from "./shards.ts";
import { canOpen } from "./shares.ts";
import type { Committed, LiveState } from "./state.ts";
import { retallied } from "./tally.ts";

/** R4, accepted until the grace time ends. Once each secret has t valid shares, the masks can be rebuilt. */
export function stepUnmask(state: LiveState, event: UnmaskReceived): Transition {
  if (event.attempt !== state.attempt || state.phase !== "unmasking") return refuse(state, "STATE");
  if (!state.u3.includes(event.seat)) return refuse(state, "ME_DROPPED");
  const taken = state.responses.get(event.seat);
  if (taken !== undefined) return taken.digest === event.digest ? known(state) : refuse(state, "CONFLICT");
  const { digest, offCommitment } = event;
  const responses = state.responses.set(event.seat, { digest, offCommitment });
  const shard = present(shardOfSeat(state, event.seat), "a survivor's shard");
  const after = retallied({ ...state, responses }, shard.shard);
  const opens = canOpen(after) && !canOpen(state);
  const effects: RoundEffect[] = opens ? [{ type: "combine" }] : [];
  return { ...known(after), effects };
}

/** The sum is published or must be discarded. */
export function stepCombined(state: LiveState, event: Combined): Transition {
  if (event.attempt !== state.attempt || state.phase !== "unmasking") return refuse(state, "STATE");
  if (!canOpen(state)) return refuse(state, "STATE");
  const { result } = event;
  if (result.kind === "voided") {
    const removed = [...new Set([...state.removed, ...result.dealers])];
    return voidRound({ ...state, removed }, result.code);
  }
  const bad = result.leftOut ?? [];
  const codes = new Map(bad.map(({ shard, code }) => [shard, code]));
  if (!goesOn(state, codes, survivorCounts(state))) return voidRound(state, bad[0]?.code ?? "INTERNAL");
  const { state: rest, effects } = leaveOut(state, codes);
  const removed = [...new Set([...state.removed, ...bad.flatMap(({ dealers }) => dealers)])];
  const committed: Committed = {
    ...baseOf({ ...rest, removed }),
    ...sealedOf(rest),
    phase: "committed",
    phaseEndsMs: endsNow(state),
    confirmedCount: rest.confirmations.size,
    unmaskedCount: rest.responses.size,
    publication: result,
  };
  return {
    state: committed,
    records: [
      { type: "model-version" },
      { type: "audit-leaf", kind: "round.unmasked" },
      { type: "audit-leaf", kind: "model.published" },
    ],
    effects: [...effects, ...endingEffects(committed)],
  };
}

/**
 * Survivors' inputs on disk differ from their receipts, so nothing of their shard may be opened. After the opening was
 * asked for, combining detects this itself and reports it in `combined`. Rules R8, R23.
 */
export function stepDamaged(state: LiveState, event: Damaged): Transition {
  if (event.attempt !== state.attempt || state.phase !== "confirming") return refuse(state, "STATE");
  const damaged = new Set(event.seats);
  const code = "INPUT_DAMAGED";
  const codes = new Map<number, ErrorCode>();
  for (const { shard, seats } of byShard(state, state.u3)) {
    if (seats.some((seat) => damaged.has(seat))) codes.set(shard.shard, code);
  }
  if (codes.size === 0) return known(state);
  return goesOn(state, codes, survivorCounts(state)) ? leaveOut(state, codes) : retryRound(state, code);
}
