import { err, ok } from "#shared/kernel/result.ts";
import { wireError } from "#shared/protocol/errors.ts";
import type { HashHex } from "#shared/protocol/ids.ts";
import type { SiteRow } from "../rows.ts";
import { actorRefusal, type Decided, type Sight } from "./change.ts";

const SITE_COUNT_MAX = 2_000;

/** Errors: NOT_FOUND for an unknown project; CONFLICT if the name is taken in it. */
export function nameSite({ book, now, id }: Sight, name: string, projectId: string, actor: string): Decided {
  const lost = actorRefusal(book, actor, "admin");
  if (lost !== null) return err(lost);
  if (book.get("project", projectId) === null)
    return err(wireError("NOT_FOUND", `There is no project "${projectId}".`));
  const sites = book.list("site");
  if (sites.some((site) => site.projectId === projectId && site.name === name && site.revokedAt === null))
    return err(wireError("CONFLICT", `There is a site "${name}" already. Choose another name.`));
  if (sites.length >= SITE_COUNT_MAX)
    return err(wireError("CONFLICT", `There are ${SITE_COUNT_MAX} sites, which is the limit.`));
  const siteId = id();
  const row: SiteRow = {
    siteId,
    name,
    projectId,
    identity: null,
    madeAt: now,
    madeBy: actor,
    revokedAt: null,
    lastSeenAt: null,
    version: null,
    erasedAt: null,
  };
  return ok({
    event: { type: "site-named", siteId, projectId, actor },
    rows: [{ kind: "site", id: siteId, row }],
  });
}

/**
 * The first device that comes with a site's token becomes that site. Null if it is that already.
 *
 * @param key  SHA-256 of the identity, hex. The log keeps it in place of the identity.
 * Errors: REVOKED; TOKEN_ENDED if another device is the site already; CONFLICT if the device is another site.
 */
export function enrolSite(
  { book, now }: Sight,
  siteId: string,
  identity: string,
  key: string,
): Decided | null {
  const site = book.get("site", siteId);
  if (site === null || site.revokedAt !== null) return err(wireError("REVOKED"));
  const same = book.siteByIdentity(identity);
  if (same?.siteId === siteId) return null;
  if (same !== null && same.revokedAt !== null) return err(wireError("REVOKED"));
  if (same !== null)
    return err(
      wireError(
        "CONFLICT",
        "This device has enrolled as another site. Start the edge of this one with its own --state folder.",
      ),
    );
  if (site.identity !== null)
    return err(
      wireError("TOKEN_ENDED", "Another device has enrolled as this site. Ask an admin for a new token."),
    );
  return ok({
    event: { type: "site-enrolled", siteId, key: key as HashHex, actor: site.name },
    rows: [{ kind: "site", id: siteId, row: { ...site, identity, lastSeenAt: now } }],
  });
}

/** Errors: NOT_FOUND; CONFLICT if it is revoked already. */
export function revokeSite({ book, now }: Sight, siteId: string, actor: string): Decided {
  const lost = actorRefusal(book, actor, "admin");
  if (lost !== null) return err(lost);
  const site = book.get("site", siteId);
  if (site === null) return err(wireError("NOT_FOUND"));
  if (site.revokedAt !== null) return err(wireError("CONFLICT", "This site was revoked already."));
  const tokens = book.list("join-token").filter((row) => row.siteId === siteId && row.revokedAt === null);
  return ok({
    event: { type: "site-revoked", siteId, actor },
    rows: [
      { kind: "site", id: siteId, row: { ...site, revokedAt: now } },
      ...tokens.map(
        (row) => ({ kind: "join-token", id: row.tokenId, row: { ...row, revokedAt: now } }) as const,
      ),
    ],
  });
}
