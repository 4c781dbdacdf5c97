import type { OfflineReason } from "../core/ports.ts";

/* What the owner of an edge reads if it does not reach its coordinator: what is wrong, and the setting that mends it. */

/** How this edge reaches its coordinator. */
export interface Way {
  readonly coordinatorUrl: string;
  /** Without its password; null without a proxy. */
  readonly proxy: { readonly variable: string; readonly host: string; readonly port: number } | null;
  /** Value of NODE_EXTRA_CA_CERTS, and whether the file can be read. */
  readonly extraAuthorities: { readonly path: string; readonly readable: boolean } | null;
}

export function offlineSentence(reason: OfflineReason | undefined, way: Way): string {
  const { coordinatorUrl, proxy } = way;
  switch (reason?.type) {
    case "certificate":
      return certificateSentence(reason, way);
    case "no-tls":
      return `${coordinatorUrl} does not speak TLS. If the coordinator serves plain HTTP, give --coordinator http://${new URL(coordinatorUrl).host}.`;
    case "proxy-refused":
      return proxySentence(reason.status, way);
    case "unreachable":
      if (proxy !== null && (reason.host === proxy.host || reason.port === proxy.port))
        return `The proxy ${proxy.host}:${proxy.port} of ${proxy.variable} cannot be reached (${reason.code}). Check ${proxy.variable}; a coordinator that needs no proxy belongs in NO_PROXY.`;
      break;
    case undefined:
      break;
  }
  return `No coordinator answers at ${coordinatorUrl}. Check the address, and that the coordinator is running.`;
}

/** 407 is RFC 9110's code for wrong or missing credentials. */
function proxySentence(status: number, { coordinatorUrl, proxy }: Way): string {
  const { variable, host, port } = proxy ?? { variable: "HTTPS_PROXY", host: "", port: 0 };
  const name = proxy === null ? "The proxy" : `The proxy ${host}:${port}`;
  return status === 407
    ? `${name} does not accept the name and password in ${variable}. Write them as http://name:password@${host}:${port}, special characters as %40 for @.`
    : `${name} of ${variable} does not connect to ${coordinatorUrl} (${status}). Ask whoever runs it to allow that, or put the coordinator's host in NO_PROXY.`;
}

function certificateSentence(
  { fault, code, names }: Extract<OfflineReason, { readonly type: "certificate" }>,
  { coordinatorUrl, extraAuthorities }: Way,
): string {
  const { host, hostname } = new URL(coordinatorUrl);
  switch (fault) {
    case "authority":
      return `The certificate of ${host} is not signed by an authority that this machine trusts (${code}). ${mendAuthority(coordinatorUrl, extraAuthorities)}`;
    case "expired":
      return `The certificate of ${host} has expired (${code}). Whoever runs the coordinator has to renew it. If it is valid, this machine's clock is wrong.`;
    case "not-yet-valid":
      return `The certificate of ${host} is not valid yet (${code}). Check this machine's clock.`;
    case "name":
      return `The certificate of ${host} is for other names${names.length > 0 ? ` (${names.join(", ")})` : ""}, not for ${hostname}. Give --coordinator with a name of the certificate, or ask whoever runs the coordinator for a certificate for ${hostname}.`;
    case "other":
      return `The certificate of ${host} is not acceptable (${code}). Whoever runs the coordinator has to replace it.`;
  }
}

function mendAuthority(coordinatorUrl: string, extra: Way["extraAuthorities"]): string {
  const mend = `set NODE_EXTRA_CA_CERTS=/path/ca.pem to a file with the authority's certificate. A coordinator that runs with --tls offers it at ${new URL("/ca.crt", coordinatorUrl).href}; compare its fingerprint with the one that the coordinator printed.`;
  if (extra === null) return `If you trust it, ${mend}`;
  return extra.readable
    ? `NODE_EXTRA_CA_CERTS=${extra.path} does not contain that authority. If you trust it, ${mend}`
    : `NODE_EXTRA_CA_CERTS=${extra.path} cannot be read: ${mend}`;
}
