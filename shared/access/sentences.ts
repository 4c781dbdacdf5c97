import type { AccessEvent, ProposedAct } from "./log.ts";
import type { Role, TokenScope } from "./roles.ts";

/*
 * What the log says of an act, in a sentence. Pages show it before one acts, so it is made from the event that will be
 * written.
 */

/** Names that a sentence needs and the event does not hold. */
export interface Names {
  /** Null if there is no such person. */
  personOf(personId: string): string | null;
  siteOf(siteId: string): string | null;
}

export function accessSentence(event: AccessEvent, names: Names): string {
  const { actor } = event;
  switch (event.type) {
    case "set-up":
      return `${actor} set up this system and became its first admin.`;
    case "project-made":
      return `${actor} made the project ${event.projectId}.`;
    case "invited":
      return `${actor} invited ${someone(event.role)}.`;
    case "invitation-withdrawn":
      return `${actor} withdrew an invitation.`;
    case "joined":
      return `${event.name} joined as ${someone(event.role)}.`;
    case "role-given":
      return `${actor} made ${event.name} ${someone(event.role)}.`;
    case "role-taken":
      return `${actor} took the role of ${roleName(event.role)} from ${event.name}.`;
    case "signed-in-from-new-place":
      return `${actor} signed in from a browser that had not been used before.`;
    case "sign-in-changed":
      return `${actor} set a new ${event.what === "openid" ? "OpenID account" : event.what}.`;
    case "sign-in-removed":
      return `${actor} removed ${event.what === "openid" ? "an OpenID account" : `a ${event.what}`}.`;
    case "api-token-made":
      return `${actor} made an API token that may ${mayWords(event.scopes)}.`;
    case "api-token-revoked":
      return `${actor} revoked an API token.`;
    case "join-token-made":
      return `${actor} made a join token for ${event.uses} ${event.uses === 1 ? "device" : "devices"} of ${event.task ?? event.projectId}.`;
    case "join-token-revoked":
      return `${actor} revoked a join token.`;
    case "joined-devices-removed":
      return `${actor} removed the devices that had joined by one token, and revoked it.`;
    case "site-named":
      return `${actor} named the site ${names.siteOf(event.siteId) ?? "that is now deleted"}.`;
    case "site-enrolled":
      return `The site ${actor} enrolled.`;
    case "site-revoked":
      return `${actor} revoked the site ${names.siteOf(event.siteId) ?? "that is now deleted"}.`;
    case "proposed":
      return `${actor} proposed to ${actWords(event.act, names)}.`;
    case "proposal-agreed":
      return event.alone
        ? `${actor}, the only admin, decided alone to ${actWords(event.act, names)}.`
        : `${actor} agreed to ${actWords(event.act, names)}.`;
    case "proposal-refused":
      return `${actor} refused a proposal.`;
    case "proposal-withdrawn":
      return `${actor} withdrew a proposal.`;
    case "proposal-ran-out":
      return "A proposal ran out, because nobody agreed within 24 hours.";
    case "project-data-deleted":
      return `All data of the project ${event.projectId} was deleted: ${count(event.taskCount, "task")}, ${count(event.runCount, "run")}.`;
    case "person-erased":
      return `${actor} erased the account of ${names.personOf(event.personId) ?? "someone"}.`;
    case "site-erased":
      return `${actor} erased a revoked site of ${event.projectId}.`;
    case "ended-rows-deleted":
      return `${count(event.count, ENDED[event.of])} that had ended long ago ${event.count === 1 ? "was" : "were"} deleted.`;
  }
}

const ENDED = { invitation: "invitation", "api-token": "API token", proposal: "proposal" } as const;

const MAY: Readonly<Record<TokenScope, string>> = {
  read: "read",
  runs: "launch and stop runs",
  tasks: "make tasks",
  audit: "read kept rounds",
  metrics: "read figures of the system",
};

/** What a scope lets an API token do, after "may". */
export function scopeWords(scope: TokenScope): string {
  return MAY[scope];
}

/** "read, and launch and stop runs" */
export function mayWords(scopes: readonly TokenScope[]): string {
  const words = scopes.map(scopeWords);
  const last = words.pop() ?? "";
  return words.length === 0 ? last : `${words.join(", ")}, and ${last}`;
}

/** What a proposal is about, after "to". */
export function actWords(act: ProposedAct, { personOf }: Pick<Names, "personOf">): string {
  switch (act.type) {
    case "delete-project-data":
      return `delete all data of the project ${act.projectId}`;
    case "give-admin-role":
      return `make ${personOf(act.personId) ?? "someone"} an admin`;
    case "take-admin-role":
      return `take the role of admin from ${personOf(act.personId) ?? "someone"}`;
    case "promote-despite-gates":
      return `put version ${act.version} of ${act.task} in use despite its gates`;
  }
}

/** With its article: "an auditor of readmission". */
export function someone(role: Role): string {
  if (role.role === "admin") return "an admin";
  return `${role.role === "auditor" ? "an" : "a"} ${roleName(role)}`;
}

/** Without its article: "auditor of readmission". */
export function roleName(role: Role): string {
  return role.role === "admin" ? "admin" : `${role.role} of ${role.projectId}`;
}

function count(value: number, one: string): string {
  return `${value} ${value === 1 ? one : `${one}s`}`;
}
