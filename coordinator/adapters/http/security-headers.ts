/*
 * Security headers. Pages of Next carry a nonce in both directions: Next takes it from the request's own
 * policy header and puts it on its scripts. The participant's page is the same for everyone, so it has hashes instead.
 */

/** On every answer, pages and API alike. */
export function commonHeaders(secure: boolean): Record<string, string> {
  return {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-embedder-policy": "require-corp",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    ...(secure ? { "strict-transport-security": "max-age=31536000" } : {}),
  };
}

/** For JSON and bytes: nothing in them may run or be framed. */
export const API_POLICY = "default-src 'none'; frame-ancestors 'none'";

/**
 * For pages of Next. Drawings and downloads are blobs of the page itself. The development server injects styles and
 * evaluates code.
 */
export function pagePolicy(nonce: string, dev: boolean): string {
  return policyOf(
    `'self' 'nonce-${nonce}' 'wasm-unsafe-eval'${dev ? " 'unsafe-eval'" : ""}`,
    `'self'${dev ? " 'unsafe-inline'" : ""}`,
  );
}

/**
 * For the participant's page, with the sources of what is inside its HTML. tfjs compiles WebAssembly.
 */
export function joinPolicy(inline: {
  readonly scripts: readonly string[];
  readonly styles: readonly string[];
}): string {
  return policyOf(
    ["'self'", ...inline.scripts, "'wasm-unsafe-eval'"].join(" "),
    ["'self'", ...inline.styles].join(" "),
  );
}

function policyOf(scripts: string, styles: string): string {
  return [
    "default-src 'self'",
    `script-src ${scripts}`,
    `style-src ${styles}`,
    "img-src 'self' blob: data:",
    "connect-src 'self'",
    "worker-src 'self'",
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ].join("; ");
}

/** For the build's scripts, wasm and styles: a worker takes its policy from its own script. */
export function staticPolicy(dev: boolean): string {
  return `default-src 'none'; script-src 'self' 'wasm-unsafe-eval'${dev ? " 'unsafe-eval'" : ""}; connect-src 'self'`;
}
