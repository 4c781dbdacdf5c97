import type { BetterAuthOptions } from "better-auth";
import type { AuthRecords } from "../../core/ports/auth-records.ts";

/*
 * The parts of Better Auth that are used: its records of people, accounts and sessions, and its passwords (scrypt with
 * N = 2^14, r = 16, p = 1 on Node's thread pool). Its router, cookies, rate limits, telemetry and settings from the
 * environment are never loaded: every endpoint is the coordinator's own, and nothing here reaches a network.
 */

const OPTIONS: BetterAuthOptions = {
  session: {
    cookieCache: { enabled: false },
    additionalFields: { provedAt: { type: "date", required: false, input: false } },
  },
};

/** Says nothing: its messages may name people. */
const SILENT = { level: "error", error() {}, warn() {}, info() {}, debug() {}, success() {} } as const;

export type BetterAuthParts = Awaited<ReturnType<typeof loadBetterAuth>>;

/** Loads Better Auth, which takes some MB that a coordinator without sign-ins does without. */
export async function loadBetterAuth(records: AuthRecords, newId: () => string) {
  const [{ createInternalAdapter }, { hashPassword, verifyPassword }, { betterAuthRecords }] =
    await Promise.all([
      import("better-auth/db"),
      import("better-auth/crypto"),
      import("./better-auth-records.ts"),
    ]);
  const adapter = betterAuthRecords(records, newId)(OPTIONS);
  const internal = createInternalAdapter(adapter, {
    options: OPTIONS,
    logger: SILENT,
    hooks: [],
    generateId: newId,
  });
  return { adapter, internal, hashPassword, verifyPassword };
}
