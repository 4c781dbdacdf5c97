import { localPathSchema } from "#shared/access/local-path.ts";
import { personNameSchema, projectIdSchema, type Role } from "#shared/access/roles.ts";
import { accessSentence, someone } from "#shared/access/sentences.ts";
import { errorCodeSchema, wireError } from "#shared/protocol/errors.ts";
import { formatTimeUtc, formatWhen, formatWhenUtc, plural } from "./format.ts";

/* Sign-in, set-up and invitations. */

const NOBODY = { personOf: () => null, siteOf: () => null };
const NO_ID = "0".repeat(32);

/** What an error of a door is about: shown under a field, or above the form. */
export interface DoorProblem {
  readonly under: "name" | "credentials" | null;
  readonly sentence: string;
}

/** @param code  The coordinator's; null if this page or its browser stopped. */
export function signInProblem(code: string | null, message: string): DoorProblem {
  return { under: code === "WRONG_CREDENTIALS" ? "credentials" : null, sentence: message };
}

/** The problem of making an account. The only thing that can contradict is a name that is taken. */
export function newAccountProblem(code: string | null, message: string): DoorProblem {
  return { under: code === "CONFLICT" ? "name" : null, sentence: message };
}

/** Characters of the shortest password. */
export const PASSWORD_LENGTH_MIN = 12;

export function nameProblem(name: string): string | null {
  if (name === "") return "Choose the name that the log will show.";
  if (personNameSchema.safeParse(name).success) return null;
  return /^[a-z0-9](?:[a-z0-9._-]{0,30}[a-z0-9])?$/.test(name)
    ? "This name stands for something else in the log. Choose another."
    : "Use lower-case letters and digits, with dots, hyphens or underscores inside; at most 32.";
}

export function projectProblem(projectId: string): string | null {
  if (projectId === "") return "A project needs a name, such as “readmission”.";
  return projectIdSchema.safeParse(projectId).success
    ? null
    : "Use lower-case letters, digits and inner hyphens; at most 40.";
}

export function passwordProblem(password: string): string | null {
  if (password.length > 256) return "This is longer than 256 characters. Use a shorter one.";
  if (password.length >= PASSWORD_LENGTH_MIN) return null;
  return `This has ${plural(password.length, "character")}; it takes at least ${PASSWORD_LENGTH_MIN}.`;
}

/** Until when the set-up link works. @param endsAt  Null if no link is open. */
export function setupLead(endsAt: string | null, nowUnixMs: number): string {
  if (endsAt === null)
    return "Its set-up link no longer works. Start the coordinator again; it prints a new one.";
  const left = Math.ceil((new Date(endsAt).getTime() - nowUnixMs) / 60_000);
  const until = clockTime(endsAt);
  if (left <= 0)
    return `The set-up link ran out at ${until} UTC. Start the coordinator again; it prints a new one.`;
  return `Whoever opened this link becomes the first. It works once, until ${until} UTC; that is ${plural(left, "minute")} from now.`;
}

export const setupEntry = (name: string, projectId: string): string =>
  accessSentence({ type: "set-up", personId: NO_ID, actor: name, projectId }, NOBODY);

export const invitedLead = (role: Role, invitedBy: string): string =>
  `${invitedBy} invites you to join as ${someone(role)}.`;

export const invitedUntil = (endsAt: string, nowUnixMs: number): string =>
  `The link works once, until ${formatWhen(endsAt, nowUnixMs)} UTC.`;

export const joinedEntry = (name: string, role: Role): string =>
  accessSentence({ type: "joined", invitationId: NO_ID, personId: NO_ID, name, role, actor: name }, NOBODY);

/** A role in a few plain words, for whoever is about to take it. */
export function roleMeans(role: Role): string {
  switch (role.role) {
    case "admin":
      return "An admin invites people, gives roles, makes projects and names sites. Some acts take a second admin.";
    case "researcher":
      return "A researcher makes tasks, launches and stops runs, and reads their figures. Nobody reads a single device.";
    case "auditor":
      return "An auditor reads runs and the rounds that are kept, to check that sums were made as agreed. Nobody reads a single device.";
  }
}

/** For the demo's admin, who has no passkey and no password of their own. */
export const PROVE_BY_LINK =
  "You signed in by the demo’s link. Start the demo again and open its new link, then do this within ten minutes.";

export const NEW_PLACE =
  "You have not signed in from this browser before. It is in the log, and your other sessions are told.";

/** Tells one's other sessions of it. `at` and `now` are the coordinator's. */
export const newPlaceElsewhere = (name: string, at: string, now: string): string =>
  `Someone signed in as ${name} from a browser that had not been used before: ${formatWhenUtc(at, Date.parse(now))}.`;

/** A clock that is off by this much is worth a sentence. */
const CLOCK_MINUTES_MIN = 2;

/** Null if this machine's clock agrees with the coordinator's. */
export function clockSentence(coordinatorNow: string, hereUnixMs: number): string | null {
  const minutes = Math.round((hereUnixMs - new Date(coordinatorNow).getTime()) / 60_000);
  if (Math.abs(minutes) < CLOCK_MINUTES_MIN) return null;
  const off = `${plural(Math.abs(minutes), "minute")} ${minutes > 0 ? "fast" : "slow"}`;
  return `This machine’s clock is ${off}. You are signed in; times here are the coordinator’s.`;
}

/**
 * Where to go after sign-in: a path of this host, or the first page.
 *
 * @param wanted  From the address, so anyone may have written it (X20).
 */
export function destinationOf(wanted: string | null): string {
  const path = localPathSchema.safeParse(wanted);
  // A door would send its visitor back to where they come from.
  return path.success && !/^\/(?:sign-in|setup|invited)(?:[/?#]|$)/.test(path.data) ? path.data : "/";
}

/** Why the coordinator refused a sign-in at the OpenID provider. @param code  From the address. */
export function refusedSentence(code: string | null): string | null {
  if (code === "FORBIDDEN")
    return "Nobody here signs in with that account, or its roles were taken. Ask an admin for an invitation.";
  const known = errorCodeSchema.safeParse(code);
  return known.success ? wireError(known.data).message : null;
}

/** The page to sign in on, which comes back to `path`. */
export const signInPath = (path: string): string =>
  path === "/" ? "/sign-in" : `/sign-in?to=${encodeURIComponent(path)}`;

function clockTime(instant: string): string {
  return formatTimeUtc(instant).slice(0, 5);
}
