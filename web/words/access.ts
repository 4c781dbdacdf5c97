import type { AccessEvent, ProposedAct } from "#shared/access/log.ts";
import { isSameRole, type Role, type SignInWay, type TokenScope } from "#shared/access/roles.ts";
import { accessSentence, actWords, type Names, roleName } from "#shared/access/sentences.ts";
import type {
  ApiTokenView,
  InvitationView,
  OperationsView,
  OwnSession,
  OwnWay,
  PersonView,
  ProposalView,
  SiteView,
} from "#shared/protocol/access-api.ts";
import { capitalise, countInWords, formatAgo, formatDay, formatWhen, plural } from "./format.ts";
import { isBackupLate } from "./operations.ts";

/* People, roles, tokens, sites and proposals. */

const DAY_MS = 86_400_000;
/** A token that ends within this time is pointed out. */
const ENDS_SOON_MS = 7 * DAY_MS;
const NO_ID = "0".repeat(32);

/** A state as a mark and its words. */
export interface Marked {
  readonly mark: "done" | "waiting" | "stopped" | "alarm" | "refused";
  readonly words: string;
}

/* Notes of sections. SECURITY.md says the same of the database, under "What the coordinator keeps". */

export const JOIN_TOKENS_NOTE =
  "For devices and sites, where a task is by invitation. No page shows which device used which token. The database keeps it, so that the devices of a token can be removed together.";

export const SITES_NOTE =
  "Edges that have a name, such as clinics. Browsers are not listed. No page shows what a site sent. The database keeps the fingerprint and the length of each masked list, and the list itself while its round is kept for an auditor. How well a site did is known only as a part of the sum.";

/* Lead ---------------------------------------------------------------------------------------------- */

interface Standing {
  readonly proposals: readonly ProposalView[];
  readonly tokens: readonly ApiTokenView[];
  /** Null while it is not known. */
  readonly backup: Pick<OperationsView, "lastBackup"> | null;
}

/** How things stand: what waits for the reader, what is late, and what ends soon. */
export function adminLead(
  { proposals, tokens, backup }: Standing,
  reader: string,
  nowUnixMs: number,
): string {
  const waiting = proposals.filter((proposal) => mayDecide(proposal, reader)).length;
  const parts = [
    waiting === 0
      ? null
      : `${countInWords(waiting)} ${waiting === 1 ? "proposal waits" : "proposals wait"} for you`,
    backup === null ? null : backupPart(backup.lastBackup, nowUnixMs),
    tokensPart(tokens, nowUnixMs),
  ].filter((part) => part !== null);
  if (parts.length === 0) return "Nothing waits for you, nothing is late, and nothing ends within a week.";
  const last = parts.at(-1) ?? "";
  const all = parts.length === 1 ? last : `${parts.slice(0, -1).join(", ")}, and ${last}`;
  return `${capitalise(all)}.`;
}

function backupPart(last: OperationsView["lastBackup"], nowUnixMs: number): string | null {
  if (last === null) return "there is no backup yet";
  if (!isBackupLate(last, nowUnixMs)) return null;
  return `the last backup is ${plural(Math.floor((nowUnixMs - Date.parse(last.at)) / 3_600_000), "hour")} old`;
}

function tokensPart(tokens: readonly ApiTokenView[], nowUnixMs: number): string | null {
  const soon = tokens.filter((token) => isEndingSoon(token, nowUnixMs));
  const [only] = soon;
  if (only === undefined) return null;
  return soon.length === 1
    ? `an API token ends ${inDays(daysUntil(only.endsAt, nowUnixMs))}`
    : `${countInWords(soon.length)} API tokens end within a week`;
}

/* Proposals ----------------------------------------------------------------------------------------- */

type PersonOf = Names["personOf"];

/** Finds names among the people whom the page shows. */
export const namesAmong =
  (people: readonly PersonView[]): PersonOf =>
  (personId) =>
    people.find((person) => person.personId === personId)?.name ?? null;

export const proposalTitle = (act: ProposedAct, personOf: PersonOf): string =>
  `${capitalise(actWords(act, { personOf }))}.`;

/** "Asked for by m03a, today, 09:20. It waits for you or p88d until tomorrow, 09:20." */
export function proposalFacts(
  { madeBy, madeAt, endsAt, waitsFor }: ProposalView,
  reader: string,
  nowUnixMs: number,
): string {
  // Whoever reads it stands first.
  const others = waitsFor.filter((name) => name !== reader);
  const names = waitsFor.includes(reader) ? ["you", ...others] : others;
  const waits = names.length === 0 ? "It waits" : `It waits for ${names.join(" or ")}`;
  const made = `Asked for by ${shownName(madeBy, reader)}, ${formatWhen(madeAt, nowUnixMs)}.`;
  return `${made} ${waits} until ${formatWhen(endsAt, nowUnixMs)}.`;
}

/** The entry that the log will keep once somebody agrees, for someone who may not. */
export function proposalEntry(
  { proposalId, act, alone, sentence, waitsFor }: ProposalView,
  reader: string,
  personOf: PersonOf,
): string {
  if (waitsFor.length === 0 || waitsFor.includes(reader)) return sentence;
  const actor = waitsFor.join(" or ");
  return accessSentence(
    { type: "proposal-agreed", proposalId, act, alone, actor },
    { personOf, siteOf: () => null },
  );
}

export function actNote(act: ProposedAct, personOf: PersonOf): string {
  switch (act.type) {
    case "delete-project-data":
      return "Goes: tasks, models, figures, uploads, devices. Stays: the log’s own entries, and backups already made. It cannot be taken back.";
    case "take-admin-role":
      return `What ${personOf(act.personId) ?? "this person"} has open as an admin ends within 5 s. While there is only one admin, that one decides alone, and the log says so.`;
    case "promote-despite-gates":
      return "Devices predict with it from then on. The log keeps the reason and what each gate said. Going back takes one person.";
    case "give-admin-role":
      return "An admin invites people, gives roles, and agrees to proposals of other admins.";
  }
}

/** "Agreed to by k7f2, today, 10:12." */
export function proposalEnd({ end }: ProposalView, reader: string, nowUnixMs: number): Marked | null {
  if (end === null) return null;
  const by = `by ${shownName(end.by, reader)}, ${formatWhen(end.at, nowUnixMs)}`;
  switch (end.how) {
    case "agreed":
      return { mark: "done", words: `agreed to ${by}` };
    case "refused":
      return { mark: "refused", words: `refused ${by}` };
    case "withdrawn":
      return { mark: "stopped", words: `withdrawn ${by}` };
    case "ran-out":
      return { mark: "stopped", words: `ran out, ${formatWhen(end.at, nowUnixMs)}` };
  }
}

export const mayDecide = ({ end, waitsFor }: ProposalView, reader: string): boolean =>
  end === null && waitsFor.includes(reader);

/* People -------------------------------------------------------------------------------------------- */

export const shownName = (name: string, reader: string): string => (name === reader ? "you" : name);

export const rolesOf = ({ isAdmin, roles }: Pick<PersonView, "isAdmin" | "roles">): readonly Role[] => [
  ...(isAdmin ? [{ role: "admin" } as const] : []),
  ...roles.map(({ role, projectId }) => ({ role, projectId })),
];

export function rolesWords(person: Pick<PersonView, "isAdmin" | "roles">): string {
  const roles = rolesOf(person);
  return roles.length === 0 ? "none" : roles.map(roleName).join(", ");
}

/**
 * What the log keeps of a change of roles, in the order in which it is done: one sentence a role.
 *
 * @param after  The roles that the person has afterwards.
 */
export function roleChangeEntries(
  person: PersonView,
  after: readonly Role[],
  actor: string,
): readonly string[] {
  const before = rolesOf(person);
  const { personId, name } = person;
  const sentence = (type: "role-given" | "role-taken") => (role: Role) =>
    entryOf({ type, personId, name, role, actor });
  return [
    ...after.filter((role) => !before.some((known) => isSameRole(known, role))).map(sentence("role-given")),
    ...before.filter((role) => !after.some((kept) => isSameRole(kept, role))).map(sentence("role-taken")),
  ];
}

export const proposedEntry = (act: ProposedAct, actor: string, personOf: PersonOf): string =>
  accessSentence(
    { type: "proposed", proposalId: NO_ID, act, reason: "", actor },
    { personOf, siteOf: () => null },
  );

const WAY_WORDS: Partial<Record<SignInWay, string>> = { openid: "OpenID account", link: "the demo’s link" };

/** "passkey, password". */
export function signsInWords(ways: OwnSession["signsInWith"]): string {
  return ways.map((way) => WAY_WORDS[way] ?? way).join(", ");
}

export const lastSeenWords = (lastSeenAt: string | null, nowUnixMs: number): string =>
  lastSeenAt === null ? "never" : formatAgo(lastSeenAt, nowUnixMs);

/* Invitations, projects ----------------------------------------------------------------------------- */

export const invitedEntry = (role: Role, actor: string): string =>
  entryOf({ type: "invited", invitationId: NO_ID, role, actor });
export const withdrawnEntry = (actor: string): string =>
  entryOf({ type: "invitation-withdrawn", invitationId: NO_ID, actor });
export const projectEntry = (projectId: string, actor: string): string =>
  entryOf({ type: "project-made", projectId, actor });

export function invitationState({ state, usedBy }: InvitationView): Marked {
  switch (state) {
    case "open":
      return { mark: "waiting", words: "open" };
    case "used":
      return { mark: "done", words: `used by ${usedBy ?? "someone"}` };
    case "ran-out":
      return { mark: "stopped", words: "ran out, never used" };
    case "withdrawn":
      return { mark: "stopped", words: "withdrawn" };
  }
}

export const madeWords = (madeBy: string, madeAt: string, reader: string, nowUnixMs: number): string =>
  `${shownName(madeBy, reader)}, ${formatDay(madeAt, nowUnixMs)}`;

/* Sites, join tokens -------------------------------------------------------------------------------- */

export function siteState({ state, task, projectId }: SiteView): Marked {
  switch (state) {
    case "takes-part":
      return { mark: "done", words: `in ${task ?? projectId}` };
    case "away":
      return { mark: "waiting", words: "away" };
    case "not-enrolled":
      return { mark: "waiting", words: "not enrolled yet" };
    case "revoked":
      return { mark: "stopped", words: "revoked" };
  }
}

export const siteNamedEntry = (name: string, actor: string, projectId: string): string =>
  accessSentence(
    { type: "site-named", siteId: NO_ID, projectId, actor },
    { personOf: () => null, siteOf: () => name },
  );
export const siteRevokedEntry = (name: string, actor: string): string =>
  accessSentence(
    { type: "site-revoked", siteId: NO_ID, actor },
    { personOf: () => null, siteOf: () => name },
  );
export const personErasedEntry = (name: string, actor: string): string =>
  accessSentence(
    { type: "person-erased", personId: NO_ID, actor },
    { personOf: () => name, siteOf: () => null },
  );
export const siteErasedEntry = (projectId: string, actor: string): string =>
  entryOf({ type: "site-erased", siteId: NO_ID, projectId, actor });
/** What erasing does, and what it cannot. */
export const ERASE_PERSON_WORDS =
  "Erasing ends their sessions and API tokens, and deletes roles, passwords, passkeys and the salt of their marks: the audit log alone then tells nobody which marks were theirs. The name stays in the events that they caused, and nobody else can take it. This cannot be undone.";
export const ERASE_SITE_WORDS =
  "Erasing deletes the name, when it was last seen, and its tokens. Its key stays, so that it is never let in again. The entry of its enrolment keeps the name. This cannot be undone.";
export const joinTokenEntry = (
  token: { readonly projectId: string; readonly task: string | null; readonly uses: number },
  actor: string,
): string =>
  entryOf({
    type: "join-token-made",
    tokenId: NO_ID,
    projectId: token.projectId,
    task: token.task as Extract<AccessEvent, { type: "join-token-made" }>["task"],
    uses: token.uses,
    endsAt: 0,
    actor,
  });
export const joinTokenRevokedEntry = (actor: string): string =>
  entryOf({ type: "join-token-revoked", tokenId: NO_ID, actor });
export const joinedDevicesRemovedEntry = (actor: string): string =>
  entryOf({ type: "joined-devices-removed", tokenId: NO_ID, actor });

/** What removing the devices of a join token does. */
export const devicesRemovedWords = (used: number): string =>
  `Devices that have joined with it (${plural(used, "use")}) are disconnected within 5 s. Their rounds go on if enough others are left. They can join again only with another token, or like anyone if the task is public. The token is revoked too.`;

/** What a site or a device runs to take part. The token is in the environment, where other users do not see it. */
export const edgeCommand = (token: string, url: string, task: string | null): string =>
  `CHORUS_TOKEN=${token} npm run edge -- --coordinator ${url.replace(/\/$/, "")} --task ${task ?? "TASK"} --data FILE`;

/* API tokens ---------------------------------------------------------------------------------------- */

type Ends = Marked | { readonly mark: null; readonly words: string };

/** Until when a token is good. */
export function goodUntil(
  token: Pick<ApiTokenView, "endsAt" | "isRevoked"> & { readonly devicesRemoved?: boolean },
  nowUnixMs: number,
): Ends {
  if (token.devicesRemoved === true) return { mark: "stopped", words: "revoked, its devices removed" };
  if (token.isRevoked) return { mark: "stopped", words: "revoked" };
  const day = formatDay(token.endsAt, nowUnixMs);
  if (new Date(token.endsAt).getTime() <= nowUnixMs) return { mark: "stopped", words: `ended, ${day}` };
  return { mark: null, words: day };
}

/** Until when an API token is good, with an alarm while there is time to make another. */
export function tokenEnds(token: Pick<ApiTokenView, "endsAt" | "isRevoked">, nowUnixMs: number): Ends {
  const ends = goodUntil(token, nowUnixMs);
  const isSoon = new Date(token.endsAt).getTime() - nowUnixMs <= ENDS_SOON_MS;
  return ends.mark === null && isSoon
    ? { mark: "alarm", words: inDays(daysUntil(token.endsAt, nowUnixMs)) }
    : ends;
}

export const apiTokenEntry = (scopes: readonly TokenScope[], actor: string): string =>
  entryOf({ type: "api-token-made", tokenId: NO_ID, scopes: [...scopes], endsAt: 0, actor });
export const apiTokenRevokedEntry = (actor: string): string =>
  entryOf({ type: "api-token-revoked", tokenId: NO_ID, actor });
export const signInChangedEntry = (what: "password" | "passkey", actor: string): string =>
  entryOf({ type: "sign-in-changed", personId: NO_ID, what, actor });

export const signInRemovedEntry = (what: OwnWay["way"], actor: string): string =>
  entryOf({ type: "sign-in-removed", personId: NO_ID, what, actor });

export const wayWords = (way: OwnWay["way"]): string => WAY_WORDS[way] ?? way;

/* Helpers ------------------------------------------------------------------------------------------- */

/** For events whose sentence needs no further names. */
function entryOf(event: AccessEvent): string {
  return accessSentence(event, { personOf: () => null, siteOf: () => null });
}

function isEndingSoon(token: ApiTokenView, nowUnixMs: number): boolean {
  return tokenEnds(token, nowUnixMs).mark === "alarm";
}

function daysUntil(instant: string, nowUnixMs: number): number {
  return Math.floor((new Date(instant).getTime() - nowUnixMs) / DAY_MS);
}

function inDays(days: number): string {
  return days < 1 ? "within a day" : `in ${plural(days, "day")}`;
}
