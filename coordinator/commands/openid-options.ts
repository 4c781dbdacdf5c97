import { readFileSync } from "node:fs";
import { err, ok, type Result } from "#shared/kernel/result.ts";
import type { OpenIdSettings } from "../adapters/auth/open-id.ts";
import { environment } from "./command.ts";

/**
 * The OpenID provider whose accounts may sign in; undefined if none is set. The secret is never an option, since options
 * are in the list of processes.
 *
 * Errors: a sentence.
 */
export function openIdOptions(
  issuerOption: string | undefined,
  clientIdOption: string | undefined,
): Result<OpenIdSettings | undefined, string> {
  const issuer = issuerOption ?? environment("CHORUS_OPENID_ISSUER");
  const clientId = clientIdOption ?? environment("CHORUS_OPENID_CLIENT_ID");
  if (issuer === undefined && clientId === undefined) return ok(undefined);
  if (issuer === undefined || clientId === undefined)
    return err("--openid-issuer and --openid-client-id go together.");
  const fault = issuerFault(issuer);
  if (fault !== null) return err(fault);
  const secret = clientSecret();
  return secret.ok ? ok({ issuer, clientId, clientSecret: secret.value }) : secret;
}

function issuerFault(issuer: string): string | null {
  const url = URL.parse(issuer);
  const isHere = ["localhost", "127.0.0.1", "[::1]"].includes(url?.hostname ?? "");
  if (url?.protocol === "https:" || (url?.protocol === "http:" && isHere)) return null;
  return "--openid-issuer is an https address. Plain http is for a provider on this machine.";
}

function clientSecret(): Result<string, string> {
  const path = environment("CHORUS_OPENID_CLIENT_SECRET_FILE");
  const given = environment("CHORUS_OPENID_CLIENT_SECRET");
  try {
    const secret = given ?? (path === undefined ? "" : readFileSync(path, "utf8").trim());
    if (secret !== "") return ok(secret);
  } catch {
    return err(`The file in CHORUS_OPENID_CLIENT_SECRET_FILE cannot be read: ${path}.`);
  }
  return err(
    "--openid-issuer needs the client's secret in CHORUS_OPENID_CLIENT_SECRET, or in the file that CHORUS_OPENID_CLIENT_SECRET_FILE names.",
  );
}
