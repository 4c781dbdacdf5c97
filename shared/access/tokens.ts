import { base64urlnopad } from "@scure/base";
import type { RandomBytes } from "../kernel/ports.ts";

/*
 * Bearer secrets that the coordinator hands out once and then knows only by their SHA-256. Each is a prefix, which says
 * what it is for, and 32 random bytes in base64url without padding.
 */

export const TOKEN_PREFIXES = {
  /** Claims a coordinator that has no admin. */
  setup: "chs",
  /** Makes one person with one role. */
  invitation: "chi",
  /** Lets devices join a task or a project. */
  join: "chj",
  /** Reads a task for a device that has logged in to it. */
  device: "chd",
  /** Acts for a person, within its scopes. */
  api: "cht",
  /** Signs one browser in, once. */
  signIn: "chl",
  /** Reads kept rounds for whoever holds the auditor's key. */
  auditor: "chk",
} as const;
export type TokenKind = keyof typeof TOKEN_PREFIXES;

const RANDOM_BYTE_COUNT = 32;
const BODY = "[A-Za-z0-9_-]{43}";

/** Matches the tokens of one kind and nothing else. */
export function tokenPattern(kind: TokenKind): RegExp {
  return new RegExp(`^${TOKEN_PREFIXES[kind]}_${BODY}$`);
}

export function newToken(kind: TokenKind, random: RandomBytes): string {
  return `${TOKEN_PREFIXES[kind]}_${base64urlnopad.encode(random(RANDOM_BYTE_COUNT))}`;
}

/** The part of a token that lists show: enough to find it again, too little to use or guess it. */
export function shownPart(token: string): string {
  return token.slice(0, 8);
}
