import { ok } from "#shared/kernel/result.ts";
import type { AccessBook, RowChange } from "../book.ts";
import { MACHINE } from "../principal.ts";
import type { AccessRows } from "../rows.ts";
import { DAY_MS, type Decided, type Sight } from "./change.ts";

/** Lists show what is over for this time, unless the operator chose another; the log keeps the acts for good. */
export const ENDED_ROWS_DAYS = 90;
/** Deleted with one event at most, so that its transaction stays small. */
const ROWS_PER_ACT_MAX = 100;

/** When it was over, Unix milliseconds; null if it is not, or still owes something. It may lie ahead. */
const ENDS: { readonly [Kind in EndingKind]: (row: AccessRows[Kind]) => number | null } = {
  invitation: ({ withdrawnAt, endsAt }) => withdrawnAt ?? endsAt,
  "api-token": ({ revokedAt, endsAt }) => Math.min(revokedAt ?? endsAt, endsAt),
  proposal: ({ end, owed }) => (owed === null ? (end?.at ?? null) : null),
};
const IDS: { readonly [Kind in EndingKind]: (row: AccessRows[Kind]) => string } = {
  invitation: ({ invitationId }) => invitationId,
  "api-token": ({ tokenId }) => tokenId,
  proposal: ({ proposalId }) => proposalId,
};
/** Join tokens are none of these: what they enrolled stays, and rests on them. */
type EndingKind = "invitation" | "api-token" | "proposal";
const KINDS = ["invitation", "api-token", "proposal"] as const;

/**
 * Deletes rows of one kind that were over longer ago than such rows are kept; null if there are none. Nobody can act on
 * them, and without this they would only grow. Rule A82.
 */
export function deleteEnded({ book, now }: Sight, keptDays: number): Decided | null {
  for (const kind of KINDS) {
    const ids = endedIds(book, kind, now - keptDays * DAY_MS).slice(0, ROWS_PER_ACT_MAX);
    if (ids.length === 0) continue;
    const rows = ids.map((id) => ({ kind, id, row: null }) satisfies RowChange);
    return ok({ event: { type: "ended-rows-deleted", of: kind, count: ids.length, actor: MACHINE }, rows });
  }
  return null;
}

function endedIds<Kind extends EndingKind>(book: AccessBook, kind: Kind, before: number): readonly string[] {
  return book
    .list(kind)
    .filter((row) => (ENDS[kind](row) ?? Number.POSITIVE_INFINITY) < before)
    .map(IDS[kind]);
}
