import { accessSync, constants } from "node:fs";
import * as http from "node:http";
import { err, ok, type Result } from "#shared/kernel/result.ts";
import type { Way } from "./offline-words.ts";

/*
 * An edge behind a proxy. Node's own clients read the variables, so fetch and the native WebSocket go the same way, both
 * through a tunnel (CONNECT), and NO_PROXY means the same for both.
 */

export type EdgeProxy = Way["proxy"];
type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Makes this process's requests go through the proxies of HTTPS_PROXY and HTTP_PROXY, except to hosts in NO_PROXY.
 *
 * @returns The proxy for coordinators of this scheme; null if there is none.
 * Errors: a sentence without the variable's value, which may contain a password.
 */
export function useProxy(protocol: string, environment: Environment): Result<EdgeProxy, string> {
  const variable = protocol === "https:" ? "HTTPS_PROXY" : "HTTP_PROXY";
  for (const name of ["HTTPS_PROXY", "HTTP_PROXY"]) {
    const value = settingOf(name, environment);
    if (value !== undefined && !isProxy(value))
      return err(`${name} is not like http://name:password@proxy.example:3128. Correct or unset it.`);
  }
  const value = settingOf(variable, environment);
  if (value === undefined) return ok(null);
  // Earlier versions lack it.
  if (typeof http.setGlobalProxyFromEnv !== "function")
    return err(`Node ${process.version} cannot use ${variable}. Update Node, or unset ${variable}.`);
  http.setGlobalProxyFromEnv(environment as NodeJS.ProcessEnv);
  const { hostname, port, protocol: scheme } = new URL(value);
  return ok({ variable, host: hostname, port: Number(port) || (scheme === "https:" ? 443 : 80) });
}

/** The authorities that Node trusts besides its own. It reads the variable at its start, and skips what it cannot read. */
export function extraAuthorities(environment: Environment): Way["extraAuthorities"] {
  const path = environment["NODE_EXTRA_CA_CERTS"];
  if (path === undefined || path === "") return null;
  try {
    accessSync(path, constants.R_OK);
    return { path, readable: true };
  } catch {
    return { path, readable: false };
  }
}

/** Lower case comes first, as in curl. */
function settingOf(name: string, environment: Environment): string | undefined {
  return environment[name.toLowerCase()] || environment[name] || undefined;
}

function isProxy(value: string): boolean {
  return URL.canParse(value) && /^https?:$/.test(new URL(value).protocol) && new URL(value).hostname !== "";
}
