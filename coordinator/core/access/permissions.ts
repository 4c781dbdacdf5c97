import type { TokenScope } from "#shared/access/roles.ts";
import { type WireError, wireError } from "#shared/protocol/errors.ts";
import type { Readable } from "../ports/store.ts";
import { ANYONE, type Person, type Principal } from "./principal.ts";

/**
 * Who holds a permission. `participant` is whoever may take part in the task that a request is about: anyone if the task
 * is public, the holder of its join token and its devices if it is by invitation.
 */
export type Holder = "anyone" | "participant" | "device" | "researcher" | "auditor" | "admin" | "auditor-key";

interface PermissionRow {
  readonly allows: string;
  readonly heldBy: readonly Holder[];
  /** The scope an API token needs; null if no token will do. */
  readonly scope: TokenScope | null;
  /** True if a session must have proved who it is within the last minutes. */
  readonly stepUp?: true;
}

const TEAM = ["researcher", "admin"] as const;
const READERS = ["researcher", "auditor", "admin"] as const;
/** Whoever checks a round from outside reads all that it is checked against. */
const CHECKERS = [...READERS, "auditor-key"] as const;
/** Also held by everyone with a role, so that a signed-in browser loses nothing. */
const EVERYONE = ["anyone"] as const;

/**
 * Everything that a coordinator can be asked to do. Each endpoint and each socket message names one row (W13). Access has
 * one test per cell.
 */
export const PERMISSIONS = {
  public: {
    allows: "what anyone may know and ask, with or without an account",
    heldBy: EVERYONE,
    scope: "read",
  },
  "tasks.read": {
    allows: "read a task: what a participant agrees to",
    heldBy: ["participant", ...CHECKERS],
    scope: "read",
  },
  "models.read": {
    allows: "download models and published sums",
    heldBy: ["participant", ...CHECKERS],
    scope: "read",
  },
  "rounds.look-up": {
    allows: "read the hashes and counts of one round, to check one's own part in it",
    heldBy: ["participant", ...CHECKERS],
    scope: "read",
  },
  "tasks.create": { allows: "create a task or a new version of one", heldBy: TEAM, scope: "tasks" },
  "tasks.settings": {
    allows: "change settings of a task, which no device agrees to",
    heldBy: TEAM,
    scope: "tasks",
  },
  "models.name": {
    allows: "put a model in use, go back to the one before, and name others",
    heldBy: TEAM,
    scope: "tasks",
  },
  "runs.read": {
    allows: "list, read and watch runs, their rounds and their events",
    heldBy: CHECKERS,
    scope: "read",
  },
  "runs.launch": { allows: "launch a run", heldBy: TEAM, scope: "runs" },
  "runs.act": { allows: "pause, resume and stop a run", heldBy: TEAM, scope: "runs" },
  "transcripts.read": {
    allows: "read what is kept of a round for an auditor",
    heldBy: ["auditor", "auditor-key"],
    scope: "audit",
  },
  "tracking.read": {
    allows: "read experiments, their runs, registered models and their files",
    heldBy: READERS,
    scope: "read",
  },
  "tracking.write": {
    allows: "log runs, models and files, and change what was logged",
    heldBy: TEAM,
    scope: "runs",
  },
  // The slot's token and the device's signature identify the sender. The core checks both before it reads the
  // body.
  "inputs.send": { allows: "send the masked input of an upload slot", heldBy: EVERYONE, scope: null },
  "operations.read": {
    allows: "read figures about the coordinator itself",
    heldBy: ["admin"],
    scope: "metrics",
  },
  "devices.log-in": { allows: "show that one holds a device's key", heldBy: EVERYONE, scope: null },
  "rounds.take-part": {
    allows: "check in and send a device's messages of a round",
    heldBy: ["device"],
    scope: null,
  },
  "sessions.open": { allows: "set up, sign in, and use an invitation", heldBy: EVERYONE, scope: null },
  "session.own": {
    allows: "read, prove and end one's own session, and see what one may do",
    heldBy: READERS,
    scope: "read",
  },
  "credentials.own": {
    allows: "add and remove a passkey or an OpenID account of one's own, and set one's password",
    heldBy: READERS,
    scope: null,
    stepUp: true,
  },
  "tokens.own": {
    allows: "make and revoke one's own API tokens",
    heldBy: READERS,
    scope: null,
    stepUp: true,
  },
  "join-tokens.read": { allows: "list join tokens and sites", heldBy: TEAM, scope: "read" },
  "join-tokens.manage": { allows: "make and revoke join tokens", heldBy: TEAM, scope: "tasks" },
  "sites.manage": { allows: "name and revoke sites", heldBy: ["admin"], scope: "tasks" },
  "auditor-pass": {
    allows: "get a pass that only the holder of the auditor's key can open",
    heldBy: EVERYONE,
    scope: null,
  },
  "people.read": {
    allows: "list people, invitations, proposals and all tokens",
    heldBy: ["admin"],
    scope: null,
  },
  "people.manage": {
    allows: "invite people, give and take roles, make projects, revoke anyone's token",
    heldBy: ["admin"],
    scope: null,
    stepUp: true,
  },
  "proposals.decide": {
    allows: "propose, agree to, refuse and withdraw what takes two people",
    heldBy: ["admin"],
    scope: null,
    stepUp: true,
  },
} as const satisfies Readonly<Record<string, PermissionRow>>;

export type Permission = keyof typeof PERMISSIONS;

/** What a request is about, as far as permissions depend on it. */
export interface About {
  /** Null for the coordinator as a whole, and for lists, which show what their reader may read. */
  readonly projectId: string | null;
  /** Null if the request is about no single task. */
  readonly task: { readonly slug: string; readonly joining: "public" | "invitation" } | null;
}
export const THE_WHOLE: About = { projectId: null, task: null };

const NO_ROLE = "None of your roles allows this. An admin can give you one that does.";

/** A session counts as proved for this long. */
export const STEP_UP_MS = 10 * 60_000;

/**
 * Null if `principal` holds `permission` for what the request is about. NOT_AUTHENTICATED if signing in may help,
 * STEP_UP_NEEDED if proving again who one is does, FORBIDDEN otherwise.
 *
 * For `THE_WHOLE`, a role in any project is enough.
 */
export function permissionRefusal(
  principal: Principal,
  permission: Permission,
  about: About,
  nowUnixMs: number,
): WireError | null {
  const row: PermissionRow = PERMISSIONS[permission];
  if (row.heldBy.some((holder) => isHolder(principal, holder, about))) {
    const isForAnyone = row.heldBy.some((holder) => isHolder(ANYONE, holder, about));
    // People who have signed in, and tokens of any scope, may do everything that anyone may do (X30).
    if (principal.kind !== "person" || isForAnyone) return null;
    return personRefusal(principal, row, nowUnixMs);
  }
  // A link that lacks its token should say so, and a participant has no account to sign in to.
  const isGuest = principal.kind === "anyone" || principal.kind === "invited";
  if (isGuest && about.task !== null && row.heldBy.includes("participant")) return wireError("BY_INVITATION");
  if (principal.kind === "person") return wireError("FORBIDDEN", NO_ROLE);
  return wireError(principal.kind === "device" ? "FORBIDDEN" : "NOT_AUTHENTICATED");
}

/** What a list shows to whoever has this permission for some of it. */
export function readableBy(principal: Principal, permission: Permission): Readable {
  const row: PermissionRow = PERMISSIONS[permission];
  return { projects: projectsOf(principal, row), orPublic: row.heldBy.includes("participant") };
}

/** Whose acts a reader of the log may see by name. No entry names anybody; the coordinator keeps that beside it. */
export interface LogReader {
  /** Projects whose acts they see, as far as these are about no person, token or site. */
  readonly readable: Readable;
  /** Whether they also see who gave roles, made tokens and decided proposals: whoever lists people does. */
  readonly seesPeople: boolean;
  /** One's own acts, of any kind, are no secret to oneself. */
  readonly ownName: string | null;
}

export function logReaderOf(principal: Principal): LogReader {
  return {
    readable: readableBy(principal, "runs.read"),
    seesPeople: readableBy(principal, "people.read").projects === "all",
    ownName: principal.kind === "person" ? principal.name : null,
  };
}

function projectsOf(principal: Principal, row: PermissionRow): Readable["projects"] {
  const { heldBy, scope } = row;
  switch (principal.kind) {
    case "auditor-key":
      return heldBy.includes("auditor-key") ? "all" : [];
    case "invited":
      // A token for one task shows that task by its name alone.
      return heldBy.includes("participant") && principal.task === null ? [principal.projectId] : [];
    case "person": {
      const { by, rights } = principal;
      if (by.type === "token" && (scope === null || !by.scopes.has(scope))) return [];
      if (rights.isAdmin && heldBy.includes("admin")) return "all";
      const roles = [...rights.rolesByProject];
      return roles.flatMap(([projectId, own]) =>
        heldBy.some((holder) => (own as ReadonlySet<string>).has(holder)) ? [projectId] : [],
      );
    }
    default:
      return [];
  }
}

function personRefusal(
  { by }: Person,
  { scope, stepUp }: PermissionRow,
  nowUnixMs: number,
): WireError | null {
  if (by.type === "token") {
    if (scope !== null && by.scopes.has(scope)) return null;
    return wireError(
      "FORBIDDEN",
      scope === null ? NO_TOKEN : `This needs a token with the scope "${scope}".`,
    );
  }
  if (stepUp !== true || nowUnixMs - by.provedAt <= STEP_UP_MS) return null;
  return wireError("STEP_UP_NEEDED");
}

const NO_TOKEN = "No API token may do this. Sign in on the page.";

function isHolder(principal: Principal, holder: Holder, about: About): boolean {
  switch (holder) {
    case "anyone":
      return true;
    case "participant":
      return isParticipant(principal, about);
    case "device":
    case "auditor-key":
      return principal.kind === holder;
    case "admin":
      return principal.kind === "person" && principal.rights.isAdmin;
    default:
      return (
        principal.kind === "person" &&
        [...principal.rights.rolesByProject].some(
          ([projectId, roles]) =>
            (about.projectId === null || about.projectId === projectId) && roles.has(holder),
        )
      );
  }
}

function isParticipant(principal: Principal, { projectId, task }: About): boolean {
  // A list shows what its reader may read.
  if (task === null) return projectId === null;
  if (task.joining === "public") return true;
  if (principal.kind === "device") return principal.task === task.slug;
  return (
    principal.kind === "invited" &&
    principal.projectId === projectId &&
    (principal.task === null || principal.task === task.slug)
  );
}
