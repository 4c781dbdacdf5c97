import { isSameRole, type ProjectRole, type Role, type SignInWay } from "#shared/access/roles.ts";
import { present } from "#shared/kernel/assert.ts";
import { err, ok } from "#shared/kernel/result.ts";
import { wireError } from "#shared/protocol/errors.ts";
import type { RowChange } from "../book.ts";
import type { NewCredential } from "../credentials.ts";
import type { InvitationRow, PersonRow } from "../rows.ts";
import { actorRefusal, type Decided, HOUR_MS, type Sight } from "./change.ts";
import { tokensEndedWith } from "./tokens.ts";

/** An invitation is good for this long. */
const INVITATION_LIFE_MS = 72 * HOUR_MS;
/** Open invitations at a time. */
const OPEN_INVITATION_COUNT_MAX = 500;
const PERSON_COUNT_MAX = 5_000;
const PROJECT_COUNT_MAX = 500;

/** Who becomes the first admin, or joins by an invitation. */
export interface Newcomer {
  readonly personId: string;
  readonly name: string;
  readonly signsInWith: SignInWay;
  /** SHA-256 of the secret of the browser that they joined from, which is then no new place. */
  readonly placeHash?: string;
}

/**
 * The first admin and the first project.
 *
 * @param withTasks  Projects that tasks belong to already. Those that are not there are made too.
 * Errors: TOKEN_ENDED if there is an admin; CONFLICT if the name is taken.
 */
export function setUp(
  { book, now, salt }: Sight,
  newcomer: Newcomer,
  projectId: string,
  withTasks: ReadonlySet<string> = new Set(),
): Decided {
  if (book.admins().length > 0)
    return err(wireError("TOKEN_ENDED", "This coordinator has an admin already. Sign in instead."));
  const { personId, name } = newcomer;
  // There may be people without an admin: an operator who has locked everyone out may have taken the role in the database.
  const taken = nameRefusal(book, name);
  if (taken !== null) return err(taken);
  const person = personOf(newcomer, { now, salt: salt(), role: { role: "admin" } });
  const rows: RowChange[] = [{ kind: "person", id: personId, row: person }];
  for (const id of new Set([projectId, ...withTasks]))
    if (book.get("project", id) === null)
      rows.push({ kind: "project", id, row: { projectId: id, madeAt: now, madeBy: name } });
  return ok({ event: { type: "set-up", personId, actor: name, projectId }, rows });
}

/** Errors: CONFLICT if the project exists. */
export function makeProject({ book, now }: Sight, projectId: string, actor: string): Decided {
  const lost = actorRefusal(book, actor, "admin");
  if (lost !== null) return err(lost);
  if (book.get("project", projectId) !== null)
    return err(wireError("CONFLICT", `There is a project "${projectId}" already. Choose another name.`));
  if (book.list("project").length >= PROJECT_COUNT_MAX)
    return err(wireError("CONFLICT", `There are ${PROJECT_COUNT_MAX} projects, which is the limit.`));
  return ok({
    event: { type: "project-made", projectId, actor },
    rows: [{ kind: "project", id: projectId, row: { projectId, madeAt: now, madeBy: actor } }],
  });
}

/** Errors: NOT_FOUND for an unknown project, CONFLICT if it takes two people or too many are open. */
export function invite(
  { book, now, id }: Sight,
  invitation: {
    readonly role: Role;
    readonly note: string;
    readonly tokenHash: string;
    readonly actor: string;
  },
): Decided {
  const { role, note, tokenHash, actor } = invitation;
  const refusal = actorRefusal(book, actor, "admin") ?? roleRefusal(book, role);
  if (refusal !== null) return err(refusal);
  const open = book.list("invitation").filter((row) => stateOfInvitation(row, now) === "open");
  if (open.length >= OPEN_INVITATION_COUNT_MAX)
    return err(
      wireError("CONFLICT", `${OPEN_INVITATION_COUNT_MAX} invitations are open. Withdraw some first.`),
    );
  const invitationId = id();
  const row: InvitationRow = {
    invitationId,
    tokenHash: tokenHash as InvitationRow["tokenHash"],
    role,
    note,
    madeAt: now,
    madeBy: actor,
    endsAt: now + INVITATION_LIFE_MS,
    usedBy: null,
    withdrawnAt: null,
  };
  return ok({
    event: { type: "invited", invitationId, role, actor },
    rows: [{ kind: "invitation", id: invitationId, row }],
  });
}

/** Errors: NOT_FOUND; CONFLICT if it is not open. */
export function withdrawInvitation({ book, now }: Sight, invitationId: string, actor: string): Decided {
  const lost = actorRefusal(book, actor, "admin");
  if (lost !== null) return err(lost);
  const row = book.get("invitation", invitationId);
  if (row === null) return err(wireError("NOT_FOUND"));
  if (stateOfInvitation(row, now) !== "open")
    return err(wireError("CONFLICT", "This invitation has been used, has run out or was withdrawn."));
  return ok({
    event: { type: "invitation-withdrawn", invitationId, actor },
    rows: [{ kind: "invitation", id: invitationId, row: { ...row, withdrawnAt: now } }],
  });
}

export function stateOfInvitation(
  { usedBy, withdrawnAt, endsAt }: InvitationRow,
  now: number,
): "open" | "used" | "withdrawn" | "ran-out" {
  if (usedBy !== null) return "used";
  if (withdrawnAt !== null) return "withdrawn";
  return now >= endsAt ? "ran-out" : "open";
}

/** Makes a person of whoever holds the invitation. Errors: TOKEN_ENDED; CONFLICT if the name is taken. */
export function useInvitation({ book, now, salt }: Sight, tokenHash: string, newcomer: Newcomer): Decided {
  const invitation = book.invitationByHash(tokenHash);
  if (invitation === null || stateOfInvitation(invitation, now) !== "open")
    return err(wireError("TOKEN_ENDED"));
  const { invitationId, role } = invitation;
  if (actorRefusal(book, invitation.madeBy, "admin") !== null) return err(wireError("TOKEN_ENDED"));
  // Since it was made, a second admin may have come.
  const refusal = roleRefusal(book, role);
  if (refusal !== null) return err(refusal);
  const { personId, name } = newcomer;
  const taken = nameRefusal(book, name);
  if (taken !== null) return err(taken);
  if (book.list("person").length >= PERSON_COUNT_MAX)
    return err(wireError("CONFLICT", `There are ${PERSON_COUNT_MAX} people, which is the limit.`));
  return ok({
    event: { type: "joined", invitationId, personId, name, role, actor: name },
    rows: [
      { kind: "invitation", id: invitationId, row: { ...invitation, usedBy: name } },
      { kind: "person", id: personId, row: personOf(newcomer, { now, salt: salt(), role }) },
    ],
  });
}

export function nameRefusal(book: Sight["book"], name: string) {
  if (book.personByName(name) === null) return null;
  return wireError("CONFLICT", `The name "${name}" is taken. Choose another.`);
}

/**
 * The changes from a person's roles to `roles`, one act for each role that is given or taken, since the log keeps them one
 * by one. The role of admin is given here only while there is one admin, and never taken.
 *
 * Errors: NOT_FOUND for an unknown person or project, CONFLICT if it takes two people.
 */
export function changeRoles(
  { book, now }: Sight,
  personId: string,
  wanted: { readonly roles: PersonRow["roles"]; readonly makeAdmin: boolean },
  actor: string,
): readonly Decided[] {
  const lost = actorRefusal(book, actor, "admin");
  if (lost !== null) return [err(lost)];
  const person = book.get("person", personId);
  if (person === null) return [err(wireError("NOT_FOUND"))];
  const after = wanted.roles.map(asRole);
  const before = person.roles.map(asRole);
  const given = after.filter((role) => !before.some((known) => isSameRole(known, role)));
  const taken = before.filter((role) => !after.some((kept) => isSameRole(kept, role)));
  if (wanted.makeAdmin && !person.isAdmin) given.push({ role: "admin" });
  const refusal = given.map((role) => roleRefusal(book, role)).find((found) => found !== null);
  if (refusal !== undefined && refusal !== null) return [err(refusal)];
  const decided: Decided[] = [];
  let row = person;
  for (const role of given) {
    row = withRole(row, role);
    decided.push(roleChange({ type: "role-given", role, actor }, row));
  }
  for (const role of taken) {
    row = withoutRole(row, role, { now, actor });
    decided.push(roleChange({ type: "role-taken", role, actor }, row, tokensEndedWith(book, row, now)));
  }
  return decided;
}

function roleChange(
  change: { readonly type: "role-given" | "role-taken"; readonly role: Role; readonly actor: string },
  row: PersonRow,
  others: readonly RowChange[] = [],
): Decided {
  const { personId, name } = row;
  return ok({
    event: { ...change, personId, name },
    rows: [{ kind: "person", id: personId, row }, ...others],
  });
}

/** Why nobody can be given this role by one person alone; null if they can. */
function roleRefusal(book: Sight["book"], role: Role) {
  if (role.role !== "admin") {
    const isKnown = book.get("project", role.projectId) !== null;
    return isKnown ? null : wireError("NOT_FOUND", `There is no project "${role.projectId}".`);
  }
  if (book.admins().length < 2) return null;
  return wireError(
    "CONFLICT",
    "There are two admins or more, so it takes two people to make another. Propose it.",
  );
}

export function withRole(row: PersonRow, role: Role): PersonRow {
  if (role.role === "admin") return { ...row, isAdmin: true };
  return { ...row, roles: [...row.roles, { projectId: role.projectId, role: role.role }] };
}

export function withoutRole(
  row: PersonRow,
  role: Role,
  { now, actor }: { readonly now: number; readonly actor: string },
): PersonRow {
  const left: PersonRow =
    role.role === "admin"
      ? { ...row, isAdmin: false }
      : { ...row, roles: row.roles.filter((known) => !isSameRole(asRole(known), role)) };
  const isLast = !left.isAdmin && left.roles.length === 0;
  return isLast ? { ...left, rolesTaken: { at: now, by: actor } } : left;
}

function asRole({ projectId, role }: { readonly projectId: string; readonly role: ProjectRole }): Role {
  return { role, projectId };
}

function personOf(
  { personId, name, signsInWith, placeHash }: Newcomer,
  { now, salt, role }: { readonly now: number; readonly salt: string; readonly role: Role },
): PersonRow {
  const bare: PersonRow = {
    personId,
    name,
    isAdmin: false,
    roles: [],
    madeAt: now,
    salt: salt as PersonRow["salt"],
    signsInWith: [signsInWith],
    rolesTaken: null,
    places: (placeHash === undefined ? [] : [placeHash]) as PersonRow["places"],
    erasedAt: null,
  };
  return withRole(bare, role);
}

/** Remembered browsers of one person. */
const PLACE_COUNT_MAX = 20;

/** A sign-in from a browser that this person has not signed in from before; null if they have. */
export function signInFromNewPlace({ book }: Sight, personId: string, placeHash: string): Decided | null {
  const person = present(book.get("person", personId), "a person who signs in");
  const places = person.places as readonly string[];
  if (places.includes(placeHash)) return null;
  const row = { ...person, places: [...places, placeHash].slice(-PLACE_COUNT_MAX) as PersonRow["places"] };
  return ok({
    event: { type: "signed-in-from-new-place", personId, actor: person.name },
    rows: [{ kind: "person", id: personId, row }],
  });
}

/** Records that a person has another way to sign in, or a new password. */
export function changeSignIn({ book }: Sight, personId: string, what: NewCredential["type"]): Decided {
  const person = present(book.get("person", personId), "a person who has signed in");
  const signsInWith = [...new Set([...person.signsInWith, what])];
  return ok({
    event: { type: "sign-in-changed", personId, what, actor: person.name },
    rows: [{ kind: "person", id: personId, row: { ...person, signsInWith } }],
  });
}

/** Records that a person no longer signs in with a credential. @param left  The kinds of those that they still have. */
export function removeSignIn(
  { book }: Sight,
  personId: string,
  what: Exclude<SignInWay, "link">,
  left: PersonRow["signsInWith"],
): Decided {
  const person = present(book.get("person", personId), "a person who has signed in");
  return ok({
    event: { type: "sign-in-removed", personId, what, actor: person.name },
    rows: [
      {
        kind: "person",
        id: personId,
        row: {
          ...person,
          signsInWith: person.signsInWith.filter((way) => way === "link" || left.includes(way)),
        },
      },
    ],
  });
}
