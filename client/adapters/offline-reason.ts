import type { OfflineReason } from "../core/ports.ts";

/** A chain of causes is not followed further than this. */
const CAUSES_MAX = 5;

/** OpenSSL's names of faults, as Node passes them on. Source: nodejs.org/api/tls.html, X509 certificate error codes. */
const CERTIFICATE_FAULTS: ReadonlyMap<
  string,
  Extract<OfflineReason, { readonly type: "certificate" }>["fault"]
> = new Map([
  ["DEPTH_ZERO_SELF_SIGNED_CERT", "authority"],
  ["SELF_SIGNED_CERT_IN_CHAIN", "authority"],
  ["UNABLE_TO_GET_ISSUER_CERT", "authority"],
  ["UNABLE_TO_GET_ISSUER_CERT_LOCALLY", "authority"],
  ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", "authority"],
  ["CERT_SIGNATURE_FAILURE", "authority"],
  ["CERT_UNTRUSTED", "authority"],
  ["CERT_HAS_EXPIRED", "expired"],
  ["CERT_NOT_YET_VALID", "not-yet-valid"],
  ["ERR_TLS_CERT_ALTNAME_INVALID", "name"],
  ["HOSTNAME_MISMATCH", "name"],
  ["CERT_CHAIN_TOO_LONG", "other"],
  ["CERT_REJECTED", "other"],
  ["CERT_REVOKED", "other"],
  ["INVALID_CA", "other"],
  ["INVALID_PURPOSE", "other"],
  ["PATH_LENGTH_EXCEEDED", "other"],
  ["PERMITTED_SUBTREE_VIOLATION", "other"],
  ["EXCLUDED_SUBTREE_VIOLATION", "other"],
  // Faults without a name in Node, such as a name that the authority may not sign for.
  ["UNSPECIFIED", "other"],
]);

/** A server without TLS answers a TLS hello with text, or a TLS record with a version that no client takes. */
const NO_TLS = /^ERR_SSL_(?:WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST|UNSUPPORTED_PROTOCOL)$/;
/** What fetch says of a proxy that refuses to open a tunnel. Node gives it no code of its own. */
const TUNNEL_REFUSED = /^Proxy response \((\d{3})\) !== 200/;
const NOT_REACHED = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ETIMEDOUT",
  "UND_ERR_CONNECT_TIMEOUT",
]);
/** Names that a certificate is for, as far as they are host names or addresses. It comes from a peer. */
const ALT_NAME = /^(?:DNS|IP Address):((?:\*\.)?[A-Za-z0-9](?:[A-Za-z0-9.:-]{0,251}[A-Za-z0-9])?)$/;
const ALT_NAMES_MAX = 5;

/** Why a request got no answer, from what `fetch` rejected with. Undefined in browsers, which do not tell. */
export function offlineReason(error: unknown): OfflineReason | undefined {
  let fault: unknown = error;
  for (let depth = 0; depth < CAUSES_MAX && fault instanceof Error; depth++) {
    const reason = reasonOf(fault as Fault);
    if (reason !== undefined) return reason;
    fault = fault instanceof AggregateError ? fault.errors[0] : fault.cause;
  }
  return undefined;
}

interface Fault extends Error {
  readonly code?: unknown;
  readonly port?: unknown;
  readonly hostname?: unknown;
  readonly address?: unknown;
  readonly cert?: { readonly subjectaltname?: unknown };
}

function reasonOf({ code, message, cert, port, hostname, address }: Fault): OfflineReason | undefined {
  const status = TUNNEL_REFUSED.exec(message)?.[1];
  if (status !== undefined) return { type: "proxy-refused", status: Number(status) };
  if (typeof code !== "string") return undefined;
  const fault = CERTIFICATE_FAULTS.get(code);
  if (fault !== undefined) {
    // OpenSSL's words, for faults that Node has no name for.
    const shown = code === "UNSPECIFIED" && /^[a-z ]{1,60}$/.test(message) ? message : code;
    return { type: "certificate", fault, code: shown, names: altNames(cert?.subjectaltname) };
  }
  if (NO_TLS.test(code)) return { type: "no-tls" };
  if (NOT_REACHED.has(code)) {
    const host = hostname ?? address;
    return {
      type: "unreachable",
      code,
      host: typeof host === "string" ? host : null,
      port: typeof port === "number" ? port : null,
    };
  }
  return undefined;
}

function altNames(text: unknown): readonly string[] {
  if (typeof text !== "string") return [];
  return text
    .split(", ", 20)
    .map((name) => ALT_NAME.exec(name)?.[1])
    .filter((name) => name !== undefined)
    .slice(0, ALT_NAMES_MAX);
}
