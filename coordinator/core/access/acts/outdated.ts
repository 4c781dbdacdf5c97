import type { AccessBook, RowChange } from "../book.ts";
import type { AccessRows } from "../rows.ts";
import { DAY_MS } from "./change.ts";

/** Lists show what is over for this time; the log keeps the acts for good. */
const SHOWN_MS = 90 * DAY_MS;
/** Deleted with one act at most, so that its transaction stays small. */
const ROWS_PER_ACT_MAX = 100;

/** When it was over, Unix milliseconds; null if it is not, or still owes something. It may lie ahead. */
const ENDS: { readonly [Kind in EndingKind]: (row: AccessRows[Kind]) => number | null } = {
  invitation: ({ withdrawnAt, endsAt }) => withdrawnAt ?? endsAt,
  "api-token": ({ revokedAt, endsAt }) => Math.min(revokedAt ?? endsAt, endsAt),
  proposal: ({ end, owed }) => (owed === null ? (end?.at ?? null) : null),
};
/** Join tokens are none of these: what they enrolled stays, and rests on them. */
type EndingKind = "invitation" | "api-token" | "proposal";

/** Deletes the rows of what was over long ago. Nobody can act on them, and without this they would only grow. */
export function outdatedRows(book: AccessBook, now: number): readonly RowChange[] {
  const outdated = <Kind extends EndingKind>(kind: Kind, idOf: (row: AccessRows[Kind]) => string) =>
    book
      .list(kind)
      .filter((row) => {
        const endedAt = ENDS[kind](row);
        return endedAt !== null && endedAt + SHOWN_MS < now;
      })
      .map((row) => ({ kind, id: idOf(row), row: null }));
  return [
    ...outdated("invitation", ({ invitationId }) => invitationId),
    ...outdated("api-token", ({ tokenId }) => tokenId),
    ...outdated("proposal", ({ proposalId }) => proposalId),
  ].slice(0, ROWS_PER_ACT_MAX) as RowChange[];
}
