import { bytesToHex } from "#shared/kernel/bytes.ts";
import { err, ok, type Result } from "#shared/kernel/result.ts";
import { SerialQueue } from "#shared/kernel/serial-queue.ts";
import type { SignIns } from "../../core/ports/sign-ins.ts";
import { type BetterAuthParts, loadBetterAuth } from "./accounts.ts";
import { OwnWays } from "./own-ways.ts";
import { Passkeys } from "./passkeys.ts";
import { Sessions, type SessionsPorts } from "./sessions.ts";
import { PASSWORD_PROVIDER, RecordExists } from "./stored.ts";

/** Passwords that wait for their turn. One takes 32 MB and some tenths of a second, and there is one turn at a time. */
const WAITING_PASSWORD_COUNT_MAX = 16;
const PERSON_COUNT_MAX = 10_000;

export type SignInsPorts = Omit<SessionsPorts, "betterAuth">;

/** People's accounts, credentials and sessions. Better Auth and SimpleWebAuthn are loaded when someone signs in. */
export function openSignIns(ports: SignInsPorts): SignIns & { close(): void } {
  const { records, random } = ports;
  const newId = () => bytesToHex(random(16));
  let loading: Promise<BetterAuthParts> | null = null;
  const betterAuth = () => (loading ??= loadBetterAuth(records, newId));
  const sessions = new Sessions({ ...ports, betterAuth });
  const passkeys = new Passkeys(ports);
  const ways = new OwnWays(records);
  const checkPassword = passwordCheck(betterAuth);
  return {
    addPerson: async ({ personId, name }) => {
      const { internal } = await betterAuth();
      // Better Auth wants an e-mail address, and none is asked for: this one reaches nobody (RFC 2606).
      const email = `${personId}@person.invalid`;
      await internal.createUser({ id: personId, name, email, emailVerified: false }, OWN_SOURCE);
    },
    removePerson: async (personId) => {
      const { internal } = await betterAuth();
      await sessions.endAll(personId);
      await internal.deleteUser(personId);
      await records.removeAuthRecords("passkey", [{ field: "personId", operator: "eq", value: personId }]);
    },
    setPassword: async (personId, password) => {
      const { internal, hashPassword } = await betterAuth();
      const hash = await hashPassword(password);
      const known = await internal.findCredentialAccount(personId);
      if (known !== null) return internal.updatePassword(personId, hash);
      await internal.linkAccount({
        userId: personId,
        providerId: PASSWORD_PROVIDER,
        accountId: personId,
        password: hash,
      });
    },
    isPassword: checkPassword,
    newPasskeyOptions: (site, name, personId) => passkeys.newOptions(site, name, personId),
    addPasskey: (personId, answer) => passkeys.add(personId, answer),
    passkeyOptions: (site) => passkeys.useOptions(site),
    personOfPasskey: (answer) => passkeys.personOf(answer),
    addOpenId: async (personId, { issuer, subject }) => {
      const { internal } = await betterAuth();
      try {
        await internal.linkAccount({ userId: personId, providerId: issuer, accountId: subject });
        return ok(undefined);
      } catch (error) {
        if (error instanceof RecordExists) return err("taken");
        throw error;
      }
    },
    personOfOpenId: async ({ issuer, subject }) => {
      const { internal } = await betterAuth();
      const account = await internal.findAccountByKey({ providerId: issuer, accountId: subject });
      return account?.userId ?? null;
    },
    waysOf: (personId) => ways.of(personId),
    removeWay: (personId, wayId) => ways.remove(personId, wayId),
    openSession: (personId) => sessions.open(personId),
    findSession: (token) => sessions.find(token),
    renewSession: (sessionId) => sessions.renew(sessionId),
    endSession: (sessionId) => sessions.end(sessionId),
    endSessions: (personId, kept) => sessions.endAll(personId, kept),
    reload: () => sessions.reload(),
    onSessionEnd: (listener) => sessions.onEnd(listener),
    lastSeen: async () => {
      const users = await records.findAuthRecords("user", [], { limit: PERSON_COUNT_MAX });
      return new Map(users.map(({ id, updatedAt }) => [id, sessions.lastUsedAt(id) ?? updatedAt]));
    },
    close: () => sessions.stop(),
  };
}

/** How an account comes to be, in Better Auth's words. Its check of that is off. */
const OWN_SOURCE = { method: "email-password" } as never;

/** Checks passwords one at a time, so that a flood of them takes one thread and 32 MB. */
function passwordCheck(
  betterAuth: () => Promise<BetterAuthParts>,
): (personId: string | null, password: string) => Promise<Result<boolean, "busy">> {
  const queue = new SerialQueue();
  let waiting = 0;
  let unknown: Promise<string> | null = null;
  const check = async (personId: string | null, password: string): Promise<boolean> => {
    const { internal, hashPassword, verifyPassword } = await betterAuth();
    // Compared with if there is no password, so that a name that does not exist takes as long (X14).
    unknown ??= hashPassword("nobody's password");
    const nobodys = await unknown;
    // Asked for in either case, for the same reason.
    const account = await internal.findCredentialAccount(personId ?? "");
    const hash = account?.password ?? null;
    const isRight = await verifyPassword({ hash: hash ?? nobodys, password });
    return hash !== null && isRight;
  };
  return async (personId, password) => {
    if (waiting >= WAITING_PASSWORD_COUNT_MAX) return err("busy");
    waiting++;
    try {
      return ok(await queue.run(() => check(personId, password)));
    } finally {
      waiting--;
    }
  };
}
