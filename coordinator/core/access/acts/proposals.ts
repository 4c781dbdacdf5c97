import type { ProposedAct } from "#shared/access/log.ts";
import { canonicalJson } from "#shared/codec/canonical-json.ts";
import { present } from "#shared/kernel/assert.ts";
import { err, ok, type Result } from "#shared/kernel/result.ts";
import { type WireError, wireError } from "#shared/protocol/errors.ts";
import type { AccessBook, RowChange } from "../book.ts";
import { MACHINE } from "../principal.ts";
import type { ProposalRow } from "../rows.ts";
import { actorRefusal, type Change, type Decided, HOUR_MS, type Sight } from "./change.ts";
import { stateOfInvitation, withdrawInvitation, withoutRole, withRole } from "./people.ts";
import { tokensEndedWith } from "./tokens.ts";

/** A proposal ends after this time if nobody has agreed. */
const PROPOSAL_LIFE_MS = 24 * HOUR_MS;
const OPEN_PROPOSAL_COUNT_MAX = 50;

/**
 * Proposes what takes two people.
 *
 * Errors: NOT_FOUND if the act is about nothing that exists; CONFLICT if it would leave no admin, is proposed already, or
 * takes a second admin and there is none.
 */
export function propose({ book, now, id }: Sight, act: ProposedAct, reason: string, actor: string): Decided {
  const refusal = actorRefusal(book, actor, "admin") ?? actRefusal(book, act);
  if (refusal !== null) return err(refusal);
  const open = openProposals(book, now);
  if (open.some((proposal) => isSameAct(proposal.act, act)))
    return err(wireError("CONFLICT", "This is proposed already. It waits for another person."));
  if (open.length >= OPEN_PROPOSAL_COUNT_MAX)
    return err(wireError("CONFLICT", `${OPEN_PROPOSAL_COUNT_MAX} proposals are open. Decide some first.`));
  const proposalId = id();
  const row: ProposalRow = {
    proposalId,
    act,
    reason,
    madeAt: now,
    madeBy: actor,
    endsAt: now + PROPOSAL_LIFE_MS,
    end: null,
    owed: null,
  };
  return ok({
    event: { type: "proposed", proposalId, act, reason, actor },
    rows: [{ kind: "proposal", id: proposalId, row }],
  });
}

/**
 * Agrees to a proposal of someone else, and writes what it changes of people. The only admin decides alone, and the log
 * says so, except that gates are passed by two. A deletion is owed from then on. Errors: NOT_FOUND, CONFLICT, FORBIDDEN for one's own or if somebody else must agree.
 */
export function agree(
  { book, now }: Sight,
  proposalId: string,
  actor: string,
  owed: ProposalRow["owed"] = null,
): Decided {
  const open = openProposal(book, proposalId, now);
  if (!open.ok) return open;
  const proposal = open.value;
  const refusal = actRefusal(book, proposal.act);
  if (refusal !== null) return err(refusal);
  const stale = actorRefusal(book, proposal.madeBy, "admin");
  if (stale !== null && !isAlone(book))
    return err(
      wireError("CONFLICT", `${proposal.madeBy} is no longer an admin. Refuse this, and propose it again.`),
    );
  const may = deciders(book, proposal);
  if (!may.includes(actor)) {
    const who = may.join(" or ");
    return err(wireError("FORBIDDEN", `Nobody agrees to their own proposal. This one waits for ${who}.`));
  }
  const { act } = proposal;
  const alone = decidesAlone(book, act);
  const end = { how: "agreed" as const, at: now, by: actor };
  const rows: RowChange[] = [{ kind: "proposal", id: proposalId, row: { ...proposal, end, owed } }];
  if ("personId" in act) {
    const person = present(book.get("person", act.personId), "a person whom an admissible act is about");
    const role = { role: "admin" } as const;
    const row =
      act.type === "take-admin-role" ? withoutRole(person, role, { now, actor }) : withRole(person, role);
    rows.push({ kind: "person", id: person.personId, row }, ...tokensEndedWith(book, row, now));
  }
  return ok({ event: { type: "proposal-agreed", proposalId, act, alone, actor }, rows });
}

/**
 * Ends a proposal without doing it: its maker withdraws it, whoever may agree may refuse it. Errors: NOT_FOUND, CONFLICT,
 * FORBIDDEN for anyone else.
 */
export function decline(
  { book, now }: Sight,
  proposalId: string,
  verb: "refuse" | "withdraw",
  actor: string,
): Decided {
  const lost = actorRefusal(book, actor, "admin");
  if (lost !== null) return err(lost);
  const open = openProposal(book, proposalId, now);
  if (!open.ok) return open;
  const proposal = open.value;
  if ((proposal.madeBy === actor) !== (verb === "withdraw"))
    return err(wireError("FORBIDDEN", "One withdraws one's own proposals and refuses those of others."));
  const may = deciders(book, proposal);
  // Otherwise nobody could take the role from an admin who is awake (X84).
  if (verb === "refuse" && !may.includes(actor))
    return err(wireError("FORBIDDEN", `This is about your own role. It waits for ${may.join(" or ")}.`));
  const how = verb === "withdraw" ? ("withdrawn" as const) : ("refused" as const);
  return ok(endWithout(proposal, how, { at: now, by: actor }));
}

/** Deletions that were agreed to and are not done, as far as the log says. */
export function owedDeletions(book: AccessBook): readonly OwedDeletion[] {
  return book.list("proposal").flatMap((proposal) => {
    const { act, owed, end } = proposal;
    if (act.type !== "delete-project-data" || owed === null || end === null) return [];
    return [{ proposal, projectId: act.projectId, counts: owed, actor: end.by }];
  });
}

export interface OwedDeletion {
  readonly proposal: ProposalRow;
  readonly projectId: string;
  readonly counts: NonNullable<ProposalRow["owed"]>;
  /** Who agreed to it. */
  readonly actor: string;
}

/** Records that a project's data are gone. Its join tokens and sites go too, except revoked sites: they stay refused. */
export function deletionDone({ book }: Sight, { proposal, projectId, counts, actor }: OwedDeletion): Decided {
  const tokens = book.list("join-token").filter((row) => row.projectId === projectId);
  const sites = book.list("site").filter((row) => row.projectId === projectId && row.revokedAt === null);
  return ok({
    event: { type: "project-data-deleted", projectId, ...counts, actor },
    rows: [
      { kind: "proposal", id: proposal.proposalId, row: { ...proposal, owed: null } },
      ...tokens.map(({ tokenId }) => ({ kind: "join-token", id: tokenId, row: null }) as const),
      ...sites.map(({ siteId }) => ({ kind: "site", id: siteId, row: null }) as const),
    ],
  });
}

/** The next proposal whose time is over and that the log does not know about; null if there is none. */
export function runOut({ book, now }: Sight): Decided | null {
  const late = book.list("proposal").find(({ end, endsAt }) => end === null && now >= endsAt);
  return late === undefined ? null : ok(endWithout(late, "ran-out", { at: now, by: MACHINE }));
}

/** Withdraws the next open invitation or proposal of someone who is no longer an admin; null if there is none. */
export function withdrawOfFormerAdmin(sight: Sight): Decided | null {
  const { book, now } = sight;
  const isFormer = ({ madeBy }: { readonly madeBy: string }) => actorRefusal(book, madeBy, "admin") !== null;
  const invitation = book
    .list("invitation")
    .find((row) => stateOfInvitation(row, now) === "open" && isFormer(row));
  if (invitation !== undefined) return withdrawInvitation(sight, invitation.invitationId, MACHINE);
  const proposal = openProposals(book, now).find(isFormer);
  return proposal === undefined ? null : ok(endWithout(proposal, "withdrawn", { at: now, by: MACHINE }));
}

function endWithout(
  proposal: ProposalRow,
  how: "withdrawn" | "refused" | "ran-out",
  { at, by }: { readonly at: number; readonly by: string },
): Change {
  const { proposalId } = proposal;
  return {
    event: { type: `proposal-${how}`, proposalId, actor: by },
    rows: [{ kind: "proposal", id: proposalId, row: { ...proposal, end: { how, at, by } } }],
  };
}

/** The names of those who may agree, and refuse. */
export function deciders(book: AccessBook, { act, madeBy }: ProposalRow): readonly string[] {
  if (decidesAlone(book, act)) return book.admins().map(({ name }) => name);
  const others = book.admins().filter(({ name }) => name !== madeBy);
  // Whoever loses the role decides only if nobody else is left who could.
  const impartial = others.filter(
    ({ personId }) => act.type !== "take-admin-role" || personId !== act.personId,
  );
  return (impartial.length > 0 ? impartial : others).map(({ name }) => name);
}

/** True if there is one admin, and the act is one that they may decide alone. */
export function decidesAlone(book: AccessBook, act: ProposedAct): boolean {
  return isAlone(book) && act.type !== "promote-despite-gates";
}

function isAlone(book: AccessBook): boolean {
  return book.admins().length === 1;
}

export function openProposals(book: AccessBook, now: number): readonly ProposalRow[] {
  return book.list("proposal").filter(({ end, endsAt }) => end === null && now < endsAt);
}

function openProposal(book: AccessBook, proposalId: string, now: number): Result<ProposalRow, WireError> {
  const proposal = book.get("proposal", proposalId);
  if (proposal === null) return err(wireError("NOT_FOUND"));
  if (proposal.end === null && now < proposal.endsAt) return ok(proposal);
  return err(wireError("CONFLICT", "This proposal has been decided, was withdrawn or has run out."));
}

/** Why nobody can propose it or agree to it now, as far as the rows of access say; null if they can. */
export function actRefusal(book: AccessBook, act: ProposedAct): WireError | null {
  switch (act.type) {
    case "delete-project-data":
      return book.get("project", act.projectId) === null ? wireError("NOT_FOUND") : null;
    // Whether there is such a version is asked of its task's registry.
    case "promote-despite-gates":
      return isAlone(book)
        ? wireError(
            "CONFLICT",
            "To pass a shut gate takes two admins, and there is one. Invite a second first.",
          )
        : null;
    case "give-admin-role": {
      const person = book.get("person", act.personId);
      if (person === null) return wireError("NOT_FOUND");
      return person.isAdmin ? wireError("CONFLICT", `${person.name} is an admin already.`) : null;
    }
    case "take-admin-role": {
      const person = book.get("person", act.personId);
      if (person === null) return wireError("NOT_FOUND");
      if (!person.isAdmin) return wireError("CONFLICT", `${person.name} is no admin.`);
      return isAlone(book)
        ? wireError("CONFLICT", "This is the only admin. Make another person an admin first.")
        : null;
    }
  }
}

function isSameAct(one: ProposedAct, other: ProposedAct): boolean {
  return canonicalJson(one) === canonicalJson(other);
}
