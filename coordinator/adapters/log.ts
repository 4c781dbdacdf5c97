import { type DestinationStream, pino } from "pino";
import type { Log } from "#coordinator/core/ports/ports.ts";

/**
 * Fields whose values never belong in a log at any depth: secrets and personal data (S11). Hashes, ids and
 * public keys have other names and are kept.
 */
const WITHHELD = new Set([
  "authorization",
  "cookie",
  "set-cookie",
  "token",
  "jointoken",
  "slottoken",
  "secret",
  "secretkey",
  "privatekey",
  "password",
  "passphrase",
  "selfmask",
  "pairkey",
  "share",
  "shares",
  "seed",
  "databaseurl",
  "identity",
  "ip",
  "address",
  "remoteaddress",
  "x-forwarded-for",
  "forwarded",
  "query",
  "referer",
  "useragent",
  "user-agent",
  "email",
]);
const DEPTH_MAX = 6;
const TEXT_LENGTH_MAX = 2_000;

export interface LogOptions {
  readonly level?: "info" | "warn" | "error" | "silent";
  /** Standard output by default. */
  readonly destination?: DestinationStream;
}

/**
 * Logs JSON lines: `level`, `time` (ISO 8601), the fields, `msg`.
 *
 * Withheld fields, bytes (only their count is shown) and passwords in URLs are removed. It does not protect a
 * secret in the message itself or under a harmless name. Errors of the database's driver may name the
 * database's own host.
 */
export function openLog(options: LogOptions = {}): Log {
  const logger = pino(
    {
      level: options.level ?? "info",
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    options.destination ?? pino.destination({ dest: 1, sync: true }),
  );
  return {
    info: (fields, message) => logger.info(cleanFields(fields), cleanText(message)),
    warn: (fields, message) => logger.warn(cleanFields(fields), cleanText(message)),
    error: (fields, message) => logger.error(cleanFields(fields), cleanText(message)),
  };
}

function cleanFields(fields: object, depth = 0): Record<string, unknown> {
  const clean: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(fields)) {
    clean[name] = WITHHELD.has(name.toLowerCase()) ? "[withheld]" : cleanValue(value, depth + 1);
  }
  return clean;
}

function cleanValue(value: unknown, depth: number): unknown {
  if (typeof value === "string") return cleanText(value);
  if (typeof value === "bigint") return String(value);
  if (typeof value !== "object" || value === null) return value;
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return `[${value.byteLength} bytes]`;
  if (depth > DEPTH_MAX) return "[deep]";
  if (value instanceof Error) return cleanError(value, depth);
  if (Array.isArray(value)) return value.map((item: unknown) => cleanValue(item, depth + 1));
  if (value instanceof Map || value instanceof Set) return `[${value.size} entries]`;
  // A Secret serializes to "[secret]", a Date to its time.
  if ("toJSON" in value && typeof value.toJSON === "function") return value.toJSON();
  return cleanFields(value, depth);
}

/** Keeps the stack for operators. It never goes to a peer. */
function cleanError(error: Error, depth: number): Record<string, unknown> {
  return {
    name: error.name,
    message: cleanText(error.message),
    stack: cleanText(error.stack ?? ""),
    ...("code" in error ? { code: String(error.code) } : {}),
    ...(error.cause === undefined ? {} : { cause: cleanValue(error.cause, depth + 1) }),
  };
}

function cleanText(text: string): string {
  const withoutPasswords = text.replace(/(\b[a-z][a-z0-9+.-]*:\/\/[^\s:/@]*:)[^\s@/]+@/gi, "$1[withheld]@");
  return withoutPasswords.length <= TEXT_LENGTH_MAX
    ? withoutPasswords
    : `${withoutPasswords.slice(0, TEXT_LENGTH_MAX)}...`;
}
