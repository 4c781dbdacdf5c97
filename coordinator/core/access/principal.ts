import type { ProjectRole, TokenScope } from "#shared/access/roles.ts";

/** The rights of a person, as they are now. */
export interface Rights {
  readonly isAdmin: boolean;
  readonly rolesByProject: ReadonlyMap<string, ReadonlySet<ProjectRole>>;
}

/** Who a request is made on behalf of. */
export type Principal =
  /** Nobody has authenticated. */
  | { readonly kind: "anyone" }
  /** Holds a join token. `task` is null if the token is good for every task of its project. */
  | { readonly kind: "invited"; readonly projectId: string; readonly task: string | null }
  /** Holds the key of this identity (64 hex digits) and is logged in for this task. */
  | { readonly kind: "device"; readonly identity: string; readonly task: string }
  /** Holds the auditor's key. */
  | { readonly kind: "auditor-key" }
  | Person;

export interface Person {
  readonly kind: "person";
  readonly personId: string;
  /** As in the log. */
  readonly name: string;
  readonly rights: Rights;
  readonly by: BySession | ByToken;
}
/** A browser that has signed in. */
export interface BySession {
  readonly type: "session";
  readonly sessionId: string;
  /** When the person last proved who they are, Unix milliseconds. */
  readonly provedAt: number;
}
/** A script. */
export interface ByToken {
  readonly type: "token";
  readonly tokenId: string;
  readonly scopes: ReadonlySet<TokenScope>;
}

export const ANYONE: Principal = { kind: "anyone" };

/** Name under which the coordinator itself acts. Nobody can have it. */
export const MACHINE = "coordinator";

/** Name under which an act is recorded. */
export function actorOf(principal: Principal): string {
  switch (principal.kind) {
    case "person":
      return principal.name;
    case "device":
      return principal.identity;
    default:
      return "unverified";
  }
}
