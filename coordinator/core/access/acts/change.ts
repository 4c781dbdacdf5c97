import type { AccessEvent } from "#shared/access/log.ts";
import type { Result } from "#shared/kernel/result.ts";
import { type WireError, wireError } from "#shared/protocol/errors.ts";
import type { AccessBook, RowChange } from "../book.ts";

/*
 * The acts of access are pure: each reads the book, and returns what it would write or why it refuses.
 */

/** What one act writes: one event, and the rows that it changes. */
export interface Change {
  readonly event: AccessEvent;
  readonly rows: readonly RowChange[];
}

/** What an act may look at. */
export interface Sight {
  readonly book: AccessBook;
  /** Unix milliseconds. */
  readonly now: number;
  /** A fresh id, 32 hex digits. */
  readonly id: () => string;
  /** 32 fresh random bytes, hex. */
  readonly salt: () => string;
}

export type Decided = Result<Change, WireError>;

export const DAY_MS = 86_400_000;
export const HOUR_MS = 3_600_000;

/** What an act takes: the role of admin, or one by which someone acts in this project, or any role. */
export type Needed = "admin" | "any-role" | { readonly projectId: string };

/**
 * FORBIDDEN for a person who no longer has what the act takes: it may be taken while the act waits for its turn (X39).
 * Null for whoever is no person, such as the coordinator itself.
 */
export function actorRefusal(book: AccessBook, actor: string, needed: Needed): WireError | null {
  const person = book.personByName(actor);
  if (person === null || person.isAdmin) return null;
  const { roles } = person;
  const has =
    needed === "any-role"
      ? roles.length > 0
      : needed !== "admin" &&
        roles.some(({ projectId, role }) => role === "researcher" && projectId === needed.projectId);
  return has ? null : wireError("FORBIDDEN", "Your role was taken while this waited. Nothing was changed.");
}
