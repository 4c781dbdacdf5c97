import type { AccessEvent } from "#shared/access/log.ts";
import { DOMAINS } from "#shared/crypto/domains.ts";
import { E } from "#shared/crypto/encode.ts";
import { bytesToHex, hexToBytes } from "#shared/kernel/bytes.ts";
import type { Primitives } from "#shared/kernel/ports.ts";
import type { AccessBook } from "./book.ts";
import type { PersonRow } from "./rows.ts";

/** The part of an access event that the audit log publishes: never a name, a label or free text. */
export interface AccessLeaf {
  readonly kind: string;
  readonly body: Readonly<Record<string, unknown>>;
}

/**
 * The leaf of an event. People are salted marks: SHA-256(E("chorus/1/person", salt, personId, at)). Whoever erases a
 * person's salt erases the person from the log, and two leaves about the same person do not show it.
 *
 * @param people  Those whom the event may be about, with the event's rows applied.
 * @param at      Unix milliseconds of the event.
 */
export async function accessLeaf(
  primitives: Pick<Primitives, "sha256">,
  people: readonly PersonRow[],
  event: AccessEvent,
  at: number,
): Promise<AccessLeaf> {
  const markOf = (person: PersonRow | undefined) => personMark(primitives, person, at);
  // A site enrols by itself, and may be called like a person.
  const actor = event.type === "site-enrolled" ? null : event.actor;
  const by = await markOf(people.find(({ name }) => name === actor));
  const aboutId = "personId" in event ? event.personId : null;
  const about = await markOf(people.find(({ personId }) => personId === aboutId));
  return { kind: LEAF_KINDS[event.type], body: { version: 1, by, ...bodyOf(event, about) } };
}

/** @returns Null for nobody, and for whoever was erased: they have no marks any more. */
export async function personMark(
  { sha256 }: Pick<Primitives, "sha256">,
  person: PersonRow | null | undefined,
  at: number,
): Promise<string | null> {
  if (person === null || person === undefined || person.salt === null) return null;
  return bytesToHex(await sha256(E(DOMAINS.person, hexToBytes(person.salt), person.personId, String(at))));
}

/** The marks of two people by their names, for a leaf of another desk. */
export function marksOfNames(
  primitives: Pick<Primitives, "sha256">,
  book: Pick<AccessBook, "personByName">,
  [one, other]: readonly [string, string],
) {
  const markOf = (name: string, at: number) => personMark(primitives, book.personByName(name), at);
  return async (at: number) => [await markOf(one, at), await markOf(other, at)] as const;
}

const LEAF_KINDS = {
  "set-up": "role.given",
  "project-made": "project.made",
  invited: "invitation.made",
  "invitation-withdrawn": "invitation.withdrawn",
  joined: "role.given",
  "role-given": "role.given",
  "role-taken": "role.taken",
  "signed-in-from-new-place": "session.newPlace",
  "sign-in-changed": "session.changed",
  "sign-in-removed": "session.removed",
  "api-token-made": "token.made",
  "api-token-revoked": "token.revoked",
  "join-token-made": "token.made",
  "join-token-revoked": "token.revoked",
  "joined-devices-removed": "devices.removed",
  "site-named": "site.named",
  "site-enrolled": "site.enrolled",
  "site-revoked": "site.revoked",
  proposed: "proposal.made",
  "proposal-agreed": "proposal.agreed",
  "proposal-refused": "proposal.refused",
  "proposal-withdrawn": "proposal.withdrawn",
  "proposal-ran-out": "proposal.ranOut",
  "project-data-deleted": "deletion.performed",
  "person-erased": "deletion.performed",
  "site-erased": "deletion.performed",
  "ended-rows-deleted": "deletion.performed",
} as const satisfies Readonly<Record<AccessEvent["type"], string>>;

/** Kinds about people, tokens, sites and proposals: who decided these is for whoever may list people. */
export const PEOPLE_KINDS: readonly string[] = [...new Set(Object.values(LEAF_KINDS))];

function bodyOf(event: AccessEvent, about: string | null): Readonly<Record<string, unknown>> {
  switch (event.type) {
    case "set-up":
      return { about, role: { role: "admin" }, projectId: event.projectId };
    case "joined":
    case "role-given":
    case "role-taken":
      return { about, role: event.role };
    case "invited":
      return { role: event.role };
    case "project-made":
      return { projectId: event.projectId };
    case "sign-in-changed":
    case "sign-in-removed":
      return { what: event.what };
    case "api-token-made":
      return { of: "api", scopes: event.scopes, endsAt: event.endsAt };
    case "api-token-revoked":
      return { of: "api" };
    case "join-token-made":
      return {
        of: "join",
        projectId: event.projectId,
        task: event.task,
        uses: event.uses,
        endsAt: event.endsAt,
      };
    case "join-token-revoked":
    case "joined-devices-removed":
      return { of: "join" };
    case "site-named":
      return { projectId: event.projectId };
    case "proposed":
      return { act: event.act.type };
    case "proposal-agreed":
      return { act: event.act.type, alone: event.alone };
    case "project-data-deleted":
      return {
        what: "project",
        count: 1,
        projectId: event.projectId,
        tasks: event.taskCount,
        runs: event.runCount,
      };
    case "person-erased":
      return { what: "person", count: 1 };
    case "site-erased":
      return { what: "site", count: 1 };
    case "ended-rows-deleted":
      return { what: event.of, count: event.count };
    default:
      return {};
  }
}
