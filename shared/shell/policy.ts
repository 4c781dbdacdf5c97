/*
 * The content security policy of the participant's page. The coordinator sends it as a header, in which the page may connect
 * to its own origin only. The HTML carries it too, because not every host can send headers; there, the page may connect to
 * whatever coordinator its link names. A browser applies both.
 */

/** Of a page that is served by its coordinator. */
const OWN_ONLY = "'self'";
/** Of a page on a host of its own. */
export const ANY_COORDINATOR = "'self' https: wss:";
/** Added for trials on one machine. A page that is not on this machine takes it back, see web/join/first.ts. */
const THIS_MACHINE = "http://localhost:* ws://localhost:* http://127.0.0.1:* ws://127.0.0.1:*";

/** @param styles  Source of the styles inside the HTML, such as `'sha256-...'`. */
export function coordinatorPolicy(styles: string): string {
  return [...shellDirectives(styles, OWN_ONLY), FRAMED_BY_NONE].join("; ");
}

/** The header for any other host, and WEBCAT's `default_csp`. */
export function shellPolicy(styles: string): string {
  return [...shellDirectives(styles, ANY_COORDINATOR), FRAMED_BY_NONE].join("; ");
}

/** Inside the HTML, where browsers do not accept `frame-ancestors`. */
export function metaPolicy(styles: string): string {
  return shellDirectives(styles, `${ANY_COORDINATOR} ${THIS_MACHINE}`).join("; ");
}

const FRAMED_BY_NONE = "frame-ancestors 'none'";

/** tfjs compiles WebAssembly. */
function shellDirectives(styles: string, connect: string): readonly string[] {
  return [
    "default-src 'self'",
    "script-src 'self' 'wasm-unsafe-eval'",
    `style-src 'self' ${styles}`,
    "img-src 'self' blob: data:",
    `connect-src ${connect}`,
    "worker-src 'self'",
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'self'",
  ];
}
