import type { z } from "zod";
import { accessSentence, type Names } from "#shared/access/sentences.ts";
import type {
  apiTokenViewSchema,
  invitationViewSchema,
  joinTokenViewSchema,
  personViewSchema,
  projectViewSchema,
  proposalViewSchema,
  siteViewSchema,
} from "#shared/protocol/access-api.ts";
import type { TaskSlug } from "#shared/protocol/ids.ts";
import { stateOfInvitation } from "./acts/people.ts";
import { deciders, decidesAlone } from "./acts/proposals.ts";
import type { AccessBook } from "./book.ts";
import { MACHINE } from "./principal.ts";
import type {
  ApiTokenRow,
  InvitationRow,
  JoinTokenRow,
  PersonRow,
  ProjectRow,
  ProposalRow,
  SiteRow,
} from "./rows.ts";

/* Views of access for the API. */

type View<Schema extends z.ZodType> = z.output<Schema>;

const iso = (atMs: number) => new Date(atMs).toISOString();
const isoOrNull = (atMs: number | null | undefined) =>
  atMs === null || atMs === undefined ? null : iso(atMs);

export function namesOf(book: AccessBook): Names {
  return {
    personOf: (personId) => book.get("person", personId)?.name ?? null,
    siteOf: (siteId) => book.get("site", siteId)?.name ?? null,
  };
}

export function personView(row: PersonRow, lastSeenAt: number | null): View<typeof personViewSchema> {
  const { personId, name, isAdmin, roles, signsInWith, madeAt } = row;
  return {
    personId,
    name,
    isAdmin,
    roles: [...roles],
    signsInWith: [...signsInWith],
    lastSeenAt: isoOrNull(lastSeenAt),
    madeAt: iso(madeAt),
  };
}

export function projectView(
  { projectId, madeAt, madeBy }: ProjectRow,
  taskCount: number,
): View<typeof projectViewSchema> {
  return { projectId, madeAt: iso(madeAt), madeBy, taskCount };
}

export function invitationView(row: InvitationRow, now: number): View<typeof invitationViewSchema> {
  const { invitationId, role, note, usedBy, madeBy, madeAt, endsAt } = row;
  const state = stateOfInvitation(row, now);
  return { invitationId, role, note, state, usedBy, madeBy, madeAt: iso(madeAt), endsAt: iso(endsAt) };
}

export function apiTokenView(
  book: AccessBook,
  row: ApiTokenRow,
  lastUsedAt: number | null,
): View<typeof apiTokenViewSchema> {
  const { tokenId, shown, label, personId, scopes, madeAt, endsAt, revokedAt } = row;
  return {
    tokenId,
    shown,
    label,
    madeBy: namesOf(book).personOf(personId) ?? "",
    scopes: [...scopes],
    madeAt: iso(madeAt),
    endsAt: iso(endsAt),
    lastUsedAt: isoOrNull(lastUsedAt),
    isRevoked: revokedAt !== null,
  };
}

export function joinTokenView(row: JoinTokenRow, used: number): View<typeof joinTokenViewSchema> {
  const {
    tokenId,
    shown,
    projectId,
    task,
    siteId,
    uses,
    madeBy,
    madeAt,
    endsAt,
    revokedAt,
    devicesRemovedAt,
  } = row;
  return {
    tokenId,
    shown,
    projectId,
    task,
    siteId,
    uses,
    used,
    madeBy,
    madeAt: iso(madeAt),
    endsAt: iso(endsAt),
    isRevoked: revokedAt !== null,
    devicesRemoved: devicesRemovedAt !== null,
  };
}

/** A site's connection now. */
export interface SitePresence {
  /** The task that it is connected for; null while it is away. */
  readonly task: string | null;
  readonly lastSeenAt: number | null;
  /** SHA-256 of its identity, hex; null until it has enrolled. */
  readonly key: string | null;
}

export function siteView(row: SiteRow, { task, lastSeenAt, key }: SitePresence): View<typeof siteViewSchema> {
  const { siteId, name, projectId, identity, revokedAt, version } = row;
  const state =
    revokedAt !== null
      ? "revoked"
      : identity === null
        ? "not-enrolled"
        : task === null
          ? "away"
          : "takes-part";
  return {
    siteId,
    name,
    projectId,
    state,
    task: task as TaskSlug | null,
    lastSeenAt: isoOrNull(lastSeenAt),
    version,
    key: key === null ? null : `${key.slice(0, 4)} ${key.slice(-4)}`,
  };
}

/** @param reader  Name of whoever reads it. The sentence is what the log keeps if they agree. */
export function proposalView(
  book: AccessBook,
  row: ProposalRow,
  reader: string,
  now: number,
): View<typeof proposalViewSchema> {
  const { proposalId, act, reason, madeBy, madeAt, endsAt, end } = row;
  const alone = decidesAlone(book, act);
  const sentence = accessSentence(
    { type: "proposal-agreed", proposalId, act, alone, actor: reader },
    namesOf(book),
  );
  const isLate = end === null && now >= endsAt;
  return {
    proposalId,
    act,
    reason,
    madeBy,
    madeAt: iso(madeAt),
    endsAt: iso(endsAt),
    end: isLate
      ? { how: "ran-out", at: iso(endsAt), by: MACHINE }
      : end === null
        ? null
        : { how: end.how, at: iso(end.at), by: end.by },
    sentence,
    alone,
    waitsFor: end === null && !isLate ? [...deciders(book, row)] : [],
  };
}
