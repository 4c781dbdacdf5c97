import type { TokenScope } from "#shared/access/roles.ts";
import { err, ok } from "#shared/kernel/result.ts";
import { wireError } from "#shared/protocol/errors.ts";
import type { TaskSlug } from "#shared/protocol/ids.ts";
import type { AccessBook, RowChange } from "../book.ts";
import type { ApiTokenRow, JoinTokenRow, PersonRow } from "../rows.ts";
import { actorRefusal, DAY_MS, type Decided, type Sight } from "./change.ts";

/** API tokens of one person that are in force. */
const API_TOKEN_COUNT_MAX = 50;
/** Join tokens of one project that are in force. */
const JOIN_TOKEN_COUNT_MAX = 2_000;

/** A secret that was just made: its SHA-256 in hex, and the letters that lists show. */
export interface NewSecret {
  readonly tokenHash: string;
  readonly shown: string;
}

/** In force: made, not run out, not revoked. */
export function isInForce(
  { endsAt, revokedAt }: { readonly endsAt: number; readonly revokedAt: number | null },
  now: number,
): boolean {
  return revokedAt === null && now < endsAt;
}

/** Errors: CONFLICT if this person has too many. */
export function makeApiToken(
  { book, now, id }: Sight,
  token: NewSecret & {
    readonly label: string;
    readonly scopes: readonly TokenScope[];
    readonly days: number;
    readonly personId: string;
    readonly actor: string;
  },
): Decided {
  const { tokenHash, shown, label, scopes, days, personId, actor } = token;
  const lost = actorRefusal(book, actor, "any-role");
  if (lost !== null) return err(lost);
  const own = book.list("api-token").filter((row) => row.personId === personId && isInForce(row, now));
  if (own.length >= API_TOKEN_COUNT_MAX)
    return err(wireError("CONFLICT", `You have ${API_TOKEN_COUNT_MAX} tokens. Revoke some first.`));
  const tokenId = id();
  const row: ApiTokenRow = {
    tokenId,
    tokenHash: tokenHash as ApiTokenRow["tokenHash"],
    shown,
    label,
    personId,
    scopes: [...new Set(scopes)],
    madeAt: now,
    endsAt: now + days * DAY_MS,
    revokedAt: null,
  };
  return ok({
    event: { type: "api-token-made", tokenId, scopes: row.scopes, endsAt: row.endsAt, actor },
    rows: [{ kind: "api-token", id: tokenId, row }],
  });
}

/** Ends the API tokens of a person whose last role is gone, so that none works again with a later role (X86). */
export function tokensEndedWith(book: AccessBook, person: PersonRow, now: number): readonly RowChange[] {
  if (person.isAdmin || person.roles.length > 0) return [];
  return book
    .list("api-token")
    .filter((row) => row.personId === person.personId && isInForce(row, now))
    .map((row) => ({ kind: "api-token", id: row.tokenId, row: { ...row, revokedAt: now } }) as const);
}

/** @param owner  Only a token of this person; null for anyone's. Errors: NOT_FOUND; CONFLICT if it has ended. */
export function revokeApiToken(
  { book, now }: Sight,
  tokenId: string,
  owner: string | null,
  actor: string,
): Decided {
  const lost = owner === null ? actorRefusal(book, actor, "admin") : null;
  if (lost !== null) return err(lost);
  const row = book.get("api-token", tokenId);
  if (row === null || (owner !== null && row.personId !== owner)) return err(wireError("NOT_FOUND"));
  if (!isInForce(row, now))
    return err(wireError("CONFLICT", "This token has run out or was revoked already."));
  return ok({
    event: { type: "api-token-revoked", tokenId, actor },
    rows: [{ kind: "api-token", id: tokenId, row: { ...row, revokedAt: now } }],
  });
}

/** Errors: NOT_FOUND for an unknown project, CONFLICT if there are too many or if the site was revoked. */
export function makeJoinToken(
  { book, now, id }: Sight,
  token: NewSecret & {
    readonly projectId: string;
    readonly task: string | null;
    readonly siteId: string | null;
    readonly uses: number;
    readonly lifeMs: number;
    readonly actor: string;
  },
): Decided {
  const { tokenHash, shown, projectId, task, siteId, uses, lifeMs, actor } = token;
  const lost = actorRefusal(book, actor, { projectId });
  if (lost !== null) return err(lost);
  if (book.get("project", projectId) === null)
    return err(wireError("NOT_FOUND", `There is no project "${projectId}".`));
  if (siteId !== null && book.get("site", siteId)?.revokedAt !== null)
    return err(wireError("CONFLICT", "This site was revoked. Name a new one."));
  const open = book.list("join-token").filter((row) => row.projectId === projectId && isInForce(row, now));
  if (open.length >= JOIN_TOKEN_COUNT_MAX)
    return err(wireError("CONFLICT", `${JOIN_TOKEN_COUNT_MAX} join tokens are in force. Revoke some first.`));
  const tokenId = id();
  const row: JoinTokenRow = {
    tokenId,
    tokenHash: tokenHash as JoinTokenRow["tokenHash"],
    shown,
    projectId,
    task: task as TaskSlug | null,
    siteId,
    uses,
    madeAt: now,
    madeBy: actor,
    endsAt: now + lifeMs,
    revokedAt: null,
    devicesRemovedAt: null,
  };
  return ok({
    event: { type: "join-token-made", tokenId, projectId, task: row.task, uses, endsAt: row.endsAt, actor },
    rows: [{ kind: "join-token", id: tokenId, row }],
  });
}

/** Errors: NOT_FOUND; CONFLICT if it has ended. */
export function revokeJoinToken({ book, now }: Sight, tokenId: string, actor: string): Decided {
  const row = book.get("join-token", tokenId);
  if (row === null) return err(wireError("NOT_FOUND"));
  const lost = actorRefusal(book, actor, row);
  if (lost !== null) return err(lost);
  if (!isInForce(row, now))
    return err(wireError("CONFLICT", "This token has run out or was revoked already."));
  return ok({
    event: { type: "join-token-revoked", tokenId, actor },
    rows: [{ kind: "join-token", id: tokenId, row: { ...row, revokedAt: now } }],
  });
}

/**
 * Removes the devices that a join token enrolled, and revokes it, or they would come back with it. They may join by another
 * token.
 *
 * Errors: NOT_FOUND; CONFLICT if they were removed before, or if it is a site's.
 */
export function removeJoinedDevices({ book, now }: Sight, tokenId: string, actor: string): Decided {
  const row = book.get("join-token", tokenId);
  if (row === null) return err(wireError("NOT_FOUND"));
  const lost = actorRefusal(book, actor, row);
  if (lost !== null) return err(lost);
  if (row.siteId !== null) return err(wireError("CONFLICT", "This is a site's token. Revoke the site."));
  if (row.devicesRemovedAt !== null)
    return err(wireError("CONFLICT", "The devices of this token were removed already."));
  return ok({
    event: { type: "joined-devices-removed", tokenId, actor },
    rows: [
      {
        kind: "join-token",
        id: tokenId,
        row: { ...row, revokedAt: row.revokedAt ?? now, devicesRemovedAt: now },
      },
    ],
  });
}
