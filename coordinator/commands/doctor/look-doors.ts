import { createPrivateKey, X509Certificate } from "node:crypto";
import { existsSync } from "node:fs";
import { request as httpRequest } from "node:http";
import { request as httpsRequest, type RequestOptions } from "node:https";
import { createServer, isIP, isIPv6 } from "node:net";
import { z } from "zod";
import { logViewSchema } from "#shared/protocol/log-api.ts";
import { isErrorCode, messageOf } from "../../adapters/system-errors.ts";
import { readTls } from "../../adapters/tls/open-tls.ts";
import { serverPath } from "../../adapters/tls/own-certificate.ts";
import type { CertificateLook, PortLook, ReachedLook } from "./judge-doors.ts";

const ANSWER_MS = 5_000;
const BODY_BYTES_MAX = 64 * 1024;

/** As addresses to listen on. */
const EVERY_ADDRESS: ReadonlySet<string> = new Set(["0.0.0.0", "::"]);

/** Tries to listen for an instant, then asks whoever does. */
export async function lookAtPort(port: number, host: string | undefined): Promise<PortLook> {
  const fault = await new Promise<unknown>((resolve) => {
    const server = createServer();
    server.once("error", resolve);
    server.listen({ port, ...(host === undefined ? {} : { host }) }, () => server.close(() => resolve(null)));
  });
  if (fault === null) return { kind: "free" };
  if (isErrorCode(fault, "EACCES")) return { kind: "forbidden" };
  if (isErrorCode(fault, "EADDRNOTAVAIL", "ENOTFOUND") && host !== undefined)
    return { kind: "elsewhere", host };
  if (!isErrorCode(fault, "EADDRINUSE")) throw fault;
  const name = host === undefined || EVERY_ADDRESS.has(host) ? "localhost" : host;
  const at = `${isIPv6(name) ? `[${name}]` : name}:${port}`;
  for (const scheme of ["http", "https"]) {
    // On this machine, and nothing secret is sent, so its certificate does not matter. Every Chorus answers to localhost.
    const answer = await ask(`${scheme}://${at}/api/v1/status`, {
      rejectUnauthorized: false,
      headers: { host: "localhost" },
    }).catch(() => null);
    const version = versionIn(answer?.body ?? "");
    if (version !== null) return { kind: "chorus", version };
  }
  return { kind: "other" };
}

/** @param url  Without a path. */
export async function lookAtCoordinator(url: string, nowUnixMs: () => number): Promise<ReachedLook> {
  try {
    const status = await ask(`${url}/api/v1/status`);
    const version = versionIn(status.body);
    if (version === null) return { kind: "other" };
    const dated = Date.parse(status.date ?? "");
    const ready = await ask(`${url}/readyz`);
    const log = await ask(`${url}/api/v1/log`);
    return {
      kind: "chorus",
      version,
      failing: failingIn(ready),
      witnesses: witnessesIn(log.body),
      clockAheadMs: Number.isNaN(dated) ? null : dated - nowUnixMs(),
    };
  } catch (error) {
    return { kind: "unreachable", reason: isErrorWithCode(error) ? error.code : messageOf(error) };
  }
}

/** The certificate that --tls makes. @param host  As for `lookAtCertificate`. */
export async function lookAtOwnCertificate(dataDir: string, host: string | null): Promise<CertificateLook> {
  const path = serverPath(dataDir);
  return existsSync(path) ? lookAtCertificate(path, path, host) : { kind: "new" };
}

/** @param host  Name or address under which others reach the coordinator; null if unknown. */
export async function lookAtCertificate(
  certPath: string,
  keyPath: string,
  host: string | null,
): Promise<CertificateLook> {
  try {
    const { cert, key } = await readTls({ certPath, keyPath });
    const certificate = new X509Certificate(cert);
    const isCovered =
      host !== null &&
      (isIP(host) === 0 ? certificate.checkHost(host) : certificate.checkIP(host)) !== undefined;
    return {
      kind: "read",
      fromUnixMs: Date.parse(certificate.validFrom),
      untilUnixMs: Date.parse(certificate.validTo),
      matchesKey: certificate.checkPrivateKey(createPrivateKey(key)),
      name: host === null ? null : { host, isCovered },
    };
  } catch (error) {
    return {
      kind: "unreadable",
      sentence: isErrorWithCode(error)
        ? `${certPath} and ${keyPath} are no certificate and key in PEM (${error.code}). Check --tls-cert and --tls-key.`
        : messageOf(error),
    };
  }
}

interface Answered {
  readonly status: number;
  readonly date: string | undefined;
  readonly body: string;
}

/** @throws the error of the connection, also if there is no answer in time. */
function ask(
  url: string,
  special: Pick<RequestOptions, "rejectUnauthorized" | "headers"> = {},
): Promise<Answered> {
  const options = { timeout: ANSWER_MS, signal: AbortSignal.timeout(ANSWER_MS), agent: false, ...special };
  return new Promise((resolve, reject) => {
    const asking = url.startsWith("https:") ? httpsRequest(url, options) : httpRequest(url, options);
    asking.once("error", reject);
    asking.once("response", (response) => {
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (text: string) => {
        body += text;
        if (body.length > BODY_BYTES_MAX) response.destroy(new Error("the answer is too long"));
      });
      response.once("error", reject);
      response.once("end", () =>
        resolve({ status: response.statusCode ?? 0, date: response.headers.date, body }),
      );
    });
    asking.end();
  });
}

const statusSchema = z.object({ product: z.literal("chorus"), version: z.string().max(64) });
const readinessSchema = z.object({ checks: z.record(z.string().max(64), z.boolean()) });

function versionIn(body: string): string | null {
  const parsed = statusSchema.safeParse(jsonIn(body));
  return parsed.success ? printable(parsed.data.version) : null;
}

function failingIn({ status, body }: Answered): readonly string[] {
  if (status === 200) return [];
  const parsed = readinessSchema.safeParse(jsonIn(body));
  if (!parsed.success) return [`/readyz answers ${status}`];
  return Object.entries(parsed.data.checks)
    .filter(([, passes]) => !passes)
    .map(([name]) => printable(name));
}

/** Of its public log; none if it says none. */
function witnessesIn(body: string): Extract<ReachedLook, { kind: "chorus" }>["witnesses"] {
  const parsed = logViewSchema.safeParse(jsonIn(body));
  if (!parsed.success) return [];
  return parsed.data.witnessStates.map(({ name, trouble }) => ({ name: printable(name), trouble }));
}

function jsonIn(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return null;
  }
}

/** A stranger's text goes to a terminal. */
function printable(text: string): string {
  return text.replaceAll(/[^\w.+-]/g, "?");
}

function isErrorWithCode(error: unknown): error is { readonly code: string } {
  return typeof error === "object" && error !== null && "code" in error && typeof error.code === "string";
}
