import { describe, expect, test } from "vitest";
import type { AuthCondition, AuthRecord, AuthRecords } from "#coordinator/core/ports/auth-records.ts";
import { newHash, newRunId, type Opened } from "./rows.ts";

export function authRecordContract(opened: Opened<AuthRecords>): void {
  const session = (change: Partial<AuthRecord<"session">> = {}): AuthRecord<"session"> => ({
    id: newRunId(),
    token: newHash(),
    userId: newRunId(),
    expiresAt: 2_000_000_000_000,
    createdAt: 1000,
    updatedAt: 1000,
    ipAddress: null,
    userAgent: null,
    provedAt: 1000,
    ...change,
  });
  const is = <Field extends string>(field: Field, value: string | null) =>
    ({ field, operator: "eq", value }) as const;

  describe("records of sign-ins", () => {
    test("[X6] of each model come back as they were written", async () => {
      const text = "'; drop table auth_user; -- %_\\ \" 😀";
      const times = { createdAt: 1, updatedAt: 1_900_000_000_000 };
      const user = {
        id: newRunId(),
        name: text,
        email: newHash(),
        emailVerified: true,
        image: null,
        ...times,
      };
      const account = {
        ...{ id: newRunId(), accountId: newHash(), providerId: "credential", userId: user.id },
        ...{ accessToken: null, refreshToken: null, idToken: null, scope: null, password: text },
        ...{ accessTokenExpiresAt: null, refreshTokenExpiresAt: 5, ...times },
      };
      const verification = { id: newRunId(), identifier: text, value: text, expiresAt: 9, ...times };
      const passkey = {
        ...{ credentialId: newHash(), personId: user.id, publicKey: Uint8Array.of(0, 255, 1) },
        ...{ counter: 4_294_967_295, transports: "[]", madeAt: 7 },
      };
      expect(await opened.store.createAuthRecord("user", user)).toBe("created");
      expect(await opened.store.createAuthRecord("account", account)).toBe("created");
      expect(await opened.store.createAuthRecord("verification", verification)).toBe("created");
      expect(await opened.store.createAuthRecord("passkey", passkey)).toBe("created");
      const one = { limit: 9 };
      expect(await opened.store.findAuthRecords("user", [is("name", text), is("id", user.id)], one)).toEqual([
        user,
      ]);
      expect(await opened.store.findAuthRecords("account", [is("userId", user.id)], one)).toEqual([account]);
      expect(await opened.store.findAuthRecords("verification", [is("id", verification.id)], one)).toEqual([
        verification,
      ]);
      expect(await opened.store.findAuthRecords("passkey", [is("personId", user.id)], one)).toStrictEqual([
        passkey,
      ]);
      expect(
        await opened.store.updateAuthRecords("user", [is("id", user.id)], { emailVerified: false }),
      ).toEqual([{ ...user, emailVerified: false }]);
    });

    test("[X6] are unique where they must be", async () => {
      const first = session();
      expect(await opened.store.createAuthRecord("session", first)).toBe("created");
      expect(await opened.store.createAuthRecord("session", session({ token: first.token }))).toBe("exists");
      expect(await opened.store.createAuthRecord("session", session({ id: first.id }))).toBe("exists");
      expect(await opened.store.findAuthRecords("session", [is("token", first.token)], { limit: 9 })).toEqual(
        [first],
      );
      const racing = session();
      const answers = await Promise.all(
        Array.from({ length: 4 }, () => opened.store.createAuthRecord("session", racing)),
      );
      expect(answers.filter((answer) => answer === "created")).toHaveLength(1);
    });

    test("[X6] are selected by all conditions, in order and in part", async () => {
      const userId = newRunId();
      const sessions = [30, 10, 20].map((expiresAt) =>
        session({ userId, expiresAt, provedAt: expiresAt === 20 ? null : 5 }),
      );
      for (const one of sessions) await opened.store.createAuthRecord("session", one);
      await opened.store.createAuthRecord("session", session({ expiresAt: 10 }));
      const find = async (where: readonly AuthCondition<"session">[], limit = 9, offset = 0) => {
        const sortBy = { field: "expiresAt", direction: "asc" } as const;
        const own = [is("userId", userId), ...where];
        const found = await opened.store.findAuthRecords("session", own, { limit, offset, sortBy });
        expect(found).toHaveLength(
          limit === 9 ? await opened.store.countAuthRecords("session", own) : found.length,
        );
        return found.map(({ expiresAt }) => expiresAt);
      };
      expect(await find([])).toEqual([10, 20, 30]);
      expect(await find([], 1, 1)).toEqual([20]);
      expect(await find([{ field: "expiresAt", operator: "lt", value: 30 }])).toEqual([10, 20]);
      expect(await find([{ field: "expiresAt", operator: "gt", value: 10 }])).toEqual([20, 30]);
      expect(await find([{ field: "expiresAt", operator: "in", value: [10, 30, 99] }])).toEqual([10, 30]);
      expect(await find([{ field: "expiresAt", operator: "in", value: [] }])).toEqual([]);
      expect(await find([is("provedAt", null)])).toEqual([20]);
      // An unknown proof is neither before nor after anything.
      expect(await find([{ field: "provedAt", operator: "gt", value: 0 }])).toEqual([10, 30]);
      const sortBy = { field: "expiresAt", direction: "desc" } as const;
      const newest = await opened.store.findAuthRecords("session", [is("userId", userId)], {
        limit: 1,
        sortBy,
      });
      expect(newest).toEqual([sessions[0]]);
    });

    test("[X6] a record is removed once, whoever else removes it", async () => {
      const one = session();
      await opened.store.createAuthRecord("session", one);
      const removed = await Promise.all(
        Array.from({ length: 4 }, () => opened.store.removeAuthRecords("session", [is("id", one.id)])),
      );
      expect(removed.flat()).toEqual([one]);
      expect(await opened.store.countAuthRecords("session", [is("id", one.id)])).toBe(0);
      expect(await opened.store.updateAuthRecords("session", [is("id", one.id)], { updatedAt: 2 })).toEqual(
        [],
      );
    });

    test("[X7] a name that is not listed never becomes SQL", async () => {
      const kept = session();
      await opened.store.createAuthRecord("session", kept);
      const names = ["auth_user", "id; drop table auth_session; --", "constructor", "__proto__", "ID", ""];
      for (const name of names) {
        const condition = { field: name, operator: "eq", value: "x" } as never;
        const calls = [
          () => opened.store.findAuthRecords(name as never, [], { limit: 1 }),
          () => opened.store.countAuthRecords(name as never, []),
          () => opened.store.removeAuthRecords(name as never, []),
          () => opened.store.findAuthRecords("session", [condition], { limit: 1 }),
          () => opened.store.removeAuthRecords("session", [condition]),
          () => opened.store.updateAuthRecords("session", [is("id", kept.id)], { [name]: "x" }),
          () =>
            opened.store.findAuthRecords("session", [], {
              limit: 1,
              sortBy: { field: name as never, direction: "asc" },
            }),
        ];
        for (const call of calls) await expect(call()).rejects.toThrow();
      }
      for (const operator of ["like", "= 1 or 1", "constructor"]) {
        const condition = { field: "expiresAt", operator, value: 1 } as never;
        await expect(opened.store.removeAuthRecords("session", [condition])).rejects.toThrow();
      }
      // What all of these tried to harm is still there, and found by its listed name.
      expect(await opened.store.findAuthRecords("session", [is("id", kept.id)], { limit: 9 })).toEqual([
        kept,
      ]);
    });
  });
}
