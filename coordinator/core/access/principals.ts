import { tokenPattern } from "#shared/access/tokens.ts";
import type { MonotonicClock } from "#shared/kernel/ports.ts";
import { err, ok, type Result } from "#shared/kernel/result.ts";
import { type WireError, wireError } from "#shared/protocol/errors.ts";
import type { AuditorPasses } from "./auditor-passes.ts";
import type { AccessDesk } from "./desk.ts";
import type { Access } from "./device-login.ts";
import { ANYONE, type Person, type Principal } from "./principal.ts";
import { rateLimit } from "./rate-limit.ts";

/** Wrong bearer tokens of an address; 256 random bits need no bound, but a loop gone wrong should hear of it. */
const WRONG_PER_MINUTE_PER_ADDRESS = 30;

/** What a request shows of who makes it. */
export interface Shown {
  /** The value of `Authorization`; null without that header. */
  readonly authorization: string | null;
  /** The session's secret, if the request is one of a page of ours; null without. */
  readonly session: string | null;
  /** Key of the address, as limits count it. */
  readonly address: string;
}

/** Computes who a request is made on behalf of. Nothing else judges tokens and cookies (X30). */
export interface Principals {
  /**
   * A bearer token counts before a cookie. A session that has ended makes nobody: its browser goes on as anyone.
   *
   * Errors: NOT_AUTHENTICATED for a bearer token that is not in force, RATE_LIMITED after too many of them.
   */
  of(shown: Shown): Promise<Result<Principal, WireError>>;
}

export interface PrincipalsPorts {
  readonly clock: MonotonicClock;
  readonly desk: Pick<AccessDesk, "personOfApiToken" | "joinTokenOf">;
  readonly sessions: { personOf(token: string): Promise<Person | null> };
  readonly passes: Pick<AuditorPasses, "isInForce">;
  readonly devices: Pick<Access, "deviceOf">;
}

export function createPrincipals({ clock, desk, sessions, passes, devices }: PrincipalsPorts): Principals {
  const wrong = rateLimit(clock, {
    burst: WRONG_PER_MINUTE_PER_ADDRESS,
    perSecond: WRONG_PER_MINUTE_PER_ADDRESS / 60,
  });

  async function holderOf(token: string): Promise<Principal | null> {
    if (API_TOKEN.test(token)) return desk.personOfApiToken(token);
    if (JOIN_TOKEN.test(token)) {
      const row = await desk.joinTokenOf(token);
      return row === null ? null : { kind: "invited", projectId: row.projectId, task: row.task };
    }
    if (DEVICE.test(token)) return devices.deviceOf(token);
    if (PASS.test(token) && (await passes.isInForce(token))) return { kind: "auditor-key" };
    return null;
  }

  return {
    of: async ({ authorization, session, address }) => {
      if (authorization !== null) {
        const token = /^Bearer +(\S{1,100})$/i.exec(authorization)?.[1];
        const holder = token === undefined ? null : await holderOf(token);
        if (holder !== null) return ok(holder);
        return err(wrong.take(address) ? NOT_IN_FORCE : TOO_MANY);
      }
      return ok((session === null ? null : await sessions.personOf(session)) ?? ANYONE);
    },
  };
}

const API_TOKEN = tokenPattern("api");
const JOIN_TOKEN = tokenPattern("join");
const PASS = tokenPattern("auditor");
const DEVICE = tokenPattern("device");

const NOT_IN_FORCE = wireError(
  "NOT_AUTHENTICATED",
  "This token is unknown, has run out or was revoked. Ask for a new one; tokens go into Authorization as Bearer.",
);
const TOO_MANY = wireError("RATE_LIMITED", "Too many wrong tokens came from here. Wait a minute.");
