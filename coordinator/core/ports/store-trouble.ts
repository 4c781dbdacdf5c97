/*
 * Tells which errors of a store or disk waiting can cure. It reads the platform's codes (Node's system
 * errors, SQLite's result codes, PostgreSQL's SQLSTATE), so it serves database, blobs and spool alike.
 */

/** `full`: the disk has no room. `away`: unreachable or unresponsive for now. */
export type StoreTrouble = "full" | "away";

/** Source: errno(3). */
const FULL_ERRNOS: ReadonlySet<string> = new Set(["ENOSPC", "EDQUOT"]);
const AWAY_ERRNOS: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "ECONNABORTED",
  "EPIPE",
  "ETIMEDOUT",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "EHOSTDOWN",
  "ENETUNREACH",
  "ENETDOWN",
  "EIO",
  "EROFS",
  "ESTALE",
  "EMFILE",
  "ENFILE",
]);

/** Primary result codes: full; busy, locked, read-only, I/O error, cannot open. Source: sqlite.org/rescode.html. */
const SQLITE_FULL = 13;
const SQLITE_AWAY: ReadonlySet<number> = new Set([5, 6, 8, 10, 14]);

/** Source: the PostgreSQL manual, appendix A. */
const POSTGRES_FULL = "53100";
const POSTGRES_AWAY: ReadonlySet<string> = new Set([
  // The server is shutting down, down or starting up.
  "57P01",
  "57P02",
  "57P03",
  "57P05",
  // Out of memory or connections, an I/O error, or a standby that takes no writes.
  "53200",
  "53300",
  "58030",
  "25006",
]);
/** node-postgres sets no code on these. */
const POSTGRES_LOST =
  /connection terminated|timeout exceeded when trying to connect|connection error and is not queryable|client was closed/i;

/** Bound on nested causes, deeper than any real error. */
const CAUSES_MAX = 8;

/** Null for a fault, which waiting does not cure. */
export function storeTrouble(error: unknown): StoreTrouble | null {
  let current = error;
  for (let depth = 0; depth < CAUSES_MAX && current instanceof Error; depth++) {
    const trouble = troubleOf(current);
    if (trouble !== null) return trouble;
    // A connection attempt to several addresses fails with one error each.
    if (current instanceof AggregateError) return firstTrouble(current.errors);
    current = current.cause;
  }
  return null;
}

function firstTrouble(errors: readonly unknown[]): StoreTrouble | null {
  for (const error of errors) {
    const trouble = error instanceof Error ? troubleOf(error) : null;
    if (trouble !== null) return trouble;
  }
  return null;
}

function troubleOf(
  error: Error & { readonly code?: unknown; readonly errcode?: unknown },
): StoreTrouble | null {
  const { code, errcode } = error;
  if (code === "ERR_SQLITE_ERROR" && typeof errcode === "number") {
    // The low byte is the primary code; the rest is detail.
    const primary = errcode & 0xff;
    if (primary === SQLITE_FULL) return "full";
    return SQLITE_AWAY.has(primary) ? "away" : null;
  }
  if (typeof code === "string") {
    if (FULL_ERRNOS.has(code) || code === POSTGRES_FULL) return "full";
    if (AWAY_ERRNOS.has(code) || POSTGRES_AWAY.has(code) || code.startsWith("08")) return "away";
    // The server's Unix socket is missing, so the server is not running.
    if (code === "ENOENT" && (error as NodeJS.ErrnoException).syscall === "connect") return "away";
    return null;
  }
  return POSTGRES_LOST.test(error.message) ? "away" : null;
}
