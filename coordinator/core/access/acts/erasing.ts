import { err, ok } from "#shared/kernel/result.ts";
import { wireError } from "#shared/protocol/errors.ts";
import type { RowChange } from "../book.ts";
import { actorRefusal, type Decided, type Sight } from "./change.ts";

/*
 * Erasing a person or a site. What stays is the least that keeps others safe: a person's name, so that nobody else gets
 * it, and a site's key, so that it stays refused.
 */

/**
 * Erases a person's roles, ways to sign in, browsers, API tokens and salt. Without the salt nobody can tell which marks of
 * the audit log are theirs. Events that they caused keep the name that they chose.
 *
 * Errors: NOT_FOUND; CONFLICT for an admin, whose role is taken first.
 */
export function erasePerson({ book, now }: Sight, personId: string, actor: string): Decided {
  const lost = actorRefusal(book, actor, "admin");
  if (lost !== null) return err(lost);
  const person = book.get("person", personId);
  if (person === null || person.erasedAt !== null) return err(wireError("NOT_FOUND"));
  if (person.isAdmin)
    return err(
      wireError("CONFLICT", `${person.name} is an admin. Take the role first; then erase the account.`),
    );
  const tokens = book.list("api-token").filter((row) => row.personId === personId);
  const left = { roles: [], salt: null, signsInWith: [], rolesTaken: null, places: [], erasedAt: now };
  return ok({
    event: { type: "person-erased", personId, actor },
    rows: [
      { kind: "person", id: personId, row: { ...person, ...left } },
      ...tokens.map(({ tokenId }): RowChange => ({ kind: "api-token", id: tokenId, row: null })),
    ],
  });
}

/**
 * Erases a site's name, when it was last seen, and its tokens.
 *
 * Errors: NOT_FOUND; CONFLICT unless it was revoked, which ends its connection.
 */
export function eraseSite({ book, now }: Sight, siteId: string, actor: string): Decided {
  const lost = actorRefusal(book, actor, "admin");
  if (lost !== null) return err(lost);
  const site = book.get("site", siteId);
  if (site === null || site.erasedAt !== null) return err(wireError("NOT_FOUND"));
  if (site.revokedAt === null)
    return err(wireError("CONFLICT", "Revoke this site first, so that its device is disconnected."));
  const tokens = book.list("join-token").filter((row) => row.siteId === siteId);
  // Names of sites differ within a project, and this one is free again.
  const left = { name: `erased ${siteId}`, lastSeenAt: null, version: null, erasedAt: now };
  const row = site.identity === null ? null : { ...site, ...left };
  return ok({
    event: { type: "site-erased", siteId, projectId: site.projectId, actor },
    rows: [
      { kind: "site", id: siteId, row },
      ...tokens.map(({ tokenId }): RowChange => ({ kind: "join-token", id: tokenId, row: null })),
    ],
  });
}
