import type { IncomingMessage } from "node:http";
import { isLoopback } from "../../core/access/address.ts";
import type { Clients } from "./clients.ts";
import { hostNameOf, type Origins } from "./origins.ts";
import { type Problem, problem } from "./problem.ts";

/*
 * Cookies of browsers that sign in.
 *
 * | world | what it is                                                      | names                               |
 * | ----- | --------------------------------------------------------------- | ----------------------------------- |
 * | https | TLS, to this coordinator or to a trusted proxy                  | `__Host-chorus`, with Secure        |
 * | local | plain HTTP on this machine, which never leaves it                | `chorus-local`                      |
 * | none  | plain HTTP from elsewhere: anyone on the way could read a cookie | none; nobody signs in (X11)         |
 *
 * All are HttpOnly, for every path of this host alone, and sent by no other site's forms (SameSite=Lax).
 *
 * By hand, because Hono's helpers take one of two cookies of the same name, where here neither counts.
 */
export type CookieWorld = "https" | "local";

const NAMES = {
  https: { session: "__Host-chorus", place: "__Host-chorus-place", openId: "__Host-chorus-openid" },
  local: { session: "chorus-local", place: "chorus-place", openId: "chorus-openid" },
} as const satisfies Record<CookieWorld, Readonly<Record<string, string>>>;
type CookieKind = keyof (typeof NAMES)["https"];

const DAY_S = 86_400;
const KINDS: Readonly<Record<CookieKind, { readonly pattern: RegExp; readonly maxAgeS: number }>> = {
  session: { pattern: /^[A-Za-z0-9_-]{43}$/, maxAgeS: 7 * DAY_S },
  /** Recognises a browser that someone has signed in from. Browsers keep none longer than 400 days. */
  place: { pattern: /^[0-9a-f]{64}$/, maxAgeS: 400 * DAY_S },
  openId: { pattern: /^[0-9a-f]{64}$/, maxAgeS: 600 },
};

/** The names that only this machine itself can ask by. */
const OWN_NAMES = new Set(["localhost", "127.0.0.1", "[::1]"]);

const FORWARDED = /^(?:x-forwarded-.+|x-real-ip|forwarded|via)$/;

/** Null over plain HTTP from elsewhere. */
export function cookieWorldOf(request: IncomingMessage, clients: Clients): CookieWorld | null {
  const { secure, isProxied } = clients.of(request);
  if (secure) return "https";
  return !isProxied && isFromHere(request, clients) ? "local" : null;
}

/**
 * False for a secret that anyone on the way could read: over plain HTTP from elsewhere. A script beside a trusted proxy on
 * this machine reaches the coordinator directly, and so without the proxy's headers.
 */
export function isUnseen(request: IncomingMessage, clients: Clients): boolean {
  return cookieWorldOf(request, clients) !== null || isFromHere(request, clients);
}

/** From this machine, by one of its own names. What a proxy passes on came from elsewhere, whether it is trusted or not. */
function isFromHere(request: IncomingMessage, clients: Clients): boolean {
  if (Object.keys(request.headers).some((header) => FORWARDED.test(header))) return false;
  const name = hostNameOf(clients.of(request).host);
  return isLoopback(request.socket.remoteAddress ?? "") && name !== null && OWN_NAMES.has(name);
}

/** Why a secret of a person is refused over plain HTTP from elsewhere. It has crossed the network by then. */
export function insecure(secret: "password" | "token", { publicUrl }: Pick<Origins, "publicUrl">): Problem {
  const isSafe = publicUrl?.startsWith("https:") === true;
  const address = isSafe ? publicUrl : "the coordinator's HTTPS address";
  const proxy = isSafe
    ? " If you did, whoever runs this coordinator has to name its proxy with --trusted-proxy."
    : "";
  const refused =
    secret === "password"
      ? `Sign-in is refused here: over plain HTTP anyone on the way could read your password. Use ${address}.`
      : `API tokens are refused here: over plain HTTP anyone on the way could read them. Revoke this one, and use a new one at ${address}.`;
  return problem("INSECURE_SIGN_IN", refused + proxy);
}

/** The value of a cookie of ours; null if it is absent, malformed or there twice. */
export function readCookie(
  request: IncomingMessage,
  world: CookieWorld | null,
  kind: CookieKind,
): string | null {
  if (world === null) return null;
  const prefix = `${NAMES[world][kind]}=`;
  const values = (request.headers.cookie ?? "")
    .split(";")
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(prefix))
    .map((pair) => pair.slice(prefix.length));
  const [value] = values;
  return value !== undefined && values.length === 1 && KINDS[kind].pattern.test(value) ? value : null;
}

/** A `set-cookie` header. A null value deletes the cookie. */
export function cookie(world: CookieWorld, kind: CookieKind, value: string | null): string {
  const maxAgeS = value === null ? 0 : KINDS[kind].maxAgeS;
  const secure = world === "https" ? "; Secure" : "";
  return `${NAMES[world][kind]}=${value ?? ""}; Path=/; Max-Age=${maxAgeS}; HttpOnly; SameSite=Lax${secure}`;
}
