import { verifySignature } from "#shared/crypto/signature.ts";
import { type Bytes, bytesToHex, equalBytes, utf8 } from "#shared/kernel/bytes.ts";
import { type ErrorCode, wireError } from "#shared/protocol/errors.ts";
import { LIMITS } from "#shared/protocol/limits.ts";
import type { DeviceMessageOf } from "#shared/protocol/messages/device.ts";
import type { Reply } from "#shared/protocol/messages/reply.ts";
import { certificateItem, loginItem } from "#shared/secagg/signed-items.ts";
import type { CoordinatorPorts, Store } from "../ports.ts";
import { addressKey, rateLimit } from "../rate-limit.ts";

/*
 * A device proves that it holds its identity key, and an address may bring only so many new identities a minute. Anyone
 * may bring a key: this stops no Sybils. Enrolment comes with roles and accounts.
 */

/** A challenge that was not answered within this time is void. */
const CHALLENGE_LIFE_MS = 60_000;
/** Identities that have logged in since the start and whose return is not counted as a join. */
const KNOWN_IDENTITY_COUNT_MAX = 100_000;

/** Tasks that need not be looked up again. */
const KNOWN_TASK_COUNT_MAX = 100;

/** 32 random bytes in hex. */
const JOIN_TOKEN = /^[0-9a-f]{64}$/;

export type AccessPorts = Pick<
  CoordinatorPorts,
  "primitives" | "random" | "clock" | "wall" | "issuer" | "projectId"
> & { readonly store: Pick<Store, "findTask" | "useJoinToken" | "putJoinToken" | "noteDevice"> };

/** Who a connection is, once it has shown so. */
interface DeviceSession {
  /** 64 hex digits. */
  readonly identity: string;
  readonly task: string;
  /** It came with a join token, so the limits per address do not count it. */
  readonly invited: boolean;
}

/** The login of one connection. Each challenge is for this connection, one identity and one task, and is used once. */
export interface Login {
  /** Answers with a challenge, whatever the task: nothing is looked up for a stranger. Errors: STATE after the login. */
  hello(message: DeviceMessageOf<"hello">): Reply;
  /**
   * Answers with the certificate. Errors: NOT_AUTHENTICATED without a live challenge, BAD_SIGNATURE, RATE_LIMITED,
   * UNKNOWN_TASK.
   */
  authenticate(message: DeviceMessageOf<"authenticate">): Promise<Reply>;
  /** Null until `authenticate` has answered welcome. */
  readonly session: DeviceSession | null;
}

export interface Access {
  openLogin(address: string): Login;
  /** A token that lifts the limit of joins per address, `uses` times; only its hash is stored. */
  mintJoinToken(uses: number, lifeMs: number): Promise<string>;
}

export function createAccess(ports: AccessPorts): Access {
  const joins = rateLimit(ports.clock, {
    burst: LIMITS.joinsPerMinutePerAddress,
    perSecond: LIMITS.joinsPerMinutePerAddress / 60,
  });
  const wrongTokens = rateLimit(ports.clock, {
    burst: LIMITS.joinsPerMinutePerAddress,
    perSecond: LIMITS.joinsPerMinutePerAddress / 60,
  });
  const knownInvited = new Map<string, boolean>();
  // Tasks are never taken away, so one that was there is there; the oldest are forgotten.
  const knownTasks = new Set<string>();

  async function taskExists(slug: string): Promise<boolean> {
    if (knownTasks.has(slug)) return true;
    const exists = (await ports.store.findTask(slug)) !== null;
    if (exists) knownTasks.add(slug);
    for (const oldest of knownTasks) if (knownTasks.size > KNOWN_TASK_COUNT_MAX) knownTasks.delete(oldest);
    return exists;
  }

  /** A token that is spent, expired or foreign lifts nothing; the device is one like any other then. */
  async function isInvitation(joinToken: string | undefined, address: string): Promise<boolean> {
    if (joinToken === undefined || !JOIN_TOKEN.test(joinToken) || !wrongTokens.take(address, 0)) return false;
    const tokenHash = await hashToken(ports, joinToken);
    if (await ports.store.useJoinToken(tokenHash, ports.wall.nowUnixMs())) return true;
    wrongTokens.charge(address, 1);
    return false;
  }

  async function admit({ identity, task }: Newcomer, address: string, joinToken: string | undefined) {
    const invitedBefore = knownInvited.get(identity);
    if (invitedBefore !== undefined)
      return (await taskExists(task)) ? (invitedBefore ? "invited" : "open") : "unknown-task";
    // Everyone may make up keys and sign with them: the count by address comes before the store, unless a token of an
    // operator may lift it.
    if (await isInvitation(joinToken, address)) return (await taskExists(task)) ? "invited" : "unknown-task";
    if (!joins.take(address)) return "too-many";
    return (await taskExists(task)) ? "open" : "unknown-task";
  }

  return {
    openLogin: (from) =>
      createLogin(ports, async (newcomer, joinToken) => {
        const { identity } = newcomer;
        const admission = await admit(newcomer, addressKey(from), joinToken);
        const isAdmitted = admission === "invited" || admission === "open";
        if (isAdmitted && knownInvited.size < KNOWN_IDENTITY_COUNT_MAX) {
          knownInvited.set(identity, admission === "invited");
        }
        return admission;
      }),
    mintJoinToken: async (uses, lifeMs) => {
      const token = bytesToHex(ports.random(32));
      await ports.store.putJoinToken(await hashToken(ports, token), uses, ports.wall.nowUnixMs() + lifeMs);
      return token;
    },
  };
}

type Admission = "invited" | "open" | "too-many" | "unknown-task";

/** Who has just shown that it holds its key. */
interface Newcomer {
  readonly identity: string;
  readonly task: string;
}

interface Challenge {
  readonly identity: Bytes;
  readonly task: string;
  readonly challenge: Bytes;
  readonly atMs: number;
}

function createLogin(
  ports: AccessPorts,
  admit: (newcomer: Newcomer, joinToken: string | undefined) => Promise<Admission>,
): Login {
  let pending: Challenge | null = null;
  let session: DeviceSession | null = null;
  let isAnswering = false;

  async function answer(
    asked: Challenge,
    { signature, joinToken }: DeviceMessageOf<"authenticate">,
  ): Promise<Reply> {
    const signed = loginItem(asked.challenge, ports.projectId, asked.task, asked.identity);
    if (!(await verifySignature(ports.primitives, asked.identity, signed, signature)))
      return refused("BAD_SIGNATURE");
    const identity = bytesToHex(asked.identity);
    const admission = await admit({ identity, task: asked.task }, joinToken);
    if (admission === "too-many") return refused("RATE_LIMITED");
    if (admission === "unknown-task") return refused("UNKNOWN_TASK");
    await ports.store.noteDevice(identity, ports.wall.nowUnixMs());
    const certificate = await ports.issuer.sign(certificateItem(ports.projectId, asked.identity));
    session = { identity, task: asked.task, invited: admission === "invited" };
    return { type: "welcome", projectId: ports.projectId, issuerKey: ports.issuer.publicKey, certificate };
  }

  return {
    get session() {
      return session;
    },
    hello: ({ identity, task }) => {
      // Also while an answer is being checked: a connection that became two devices would leave one behind (W5).
      if (session !== null || isAnswering)
        return refused("STATE", "This connection has said who it is. Open another to be someone else.");
      // The same hello again gets the same challenge, or the answer to the first would no longer fit.
      const again = pending?.task === task && equalBytes(pending.identity, identity) ? pending : null;
      const challenge = again?.challenge ?? ports.random(32);
      pending = again ?? { identity, task, challenge, atMs: ports.clock.nowMs() };
      return { type: "challenge", challenge };
    },
    authenticate: async (message) => {
      if (session !== null) return refused("STATE", "This connection has said who it is already.");
      const asked = pending;
      // Used up by the first answer, right or wrong (W5).
      pending = null;
      if (asked === null || ports.clock.nowMs() - asked.atMs > CHALLENGE_LIFE_MS)
        return refused("NOT_AUTHENTICATED");
      isAnswering = true;
      try {
        return await answer(asked, message);
      } finally {
        isAnswering = false;
      }
    },
  };
}

export function refused(code: ErrorCode, detail?: string): Reply {
  return { type: "refused", error: wireError(code, detail) };
}

/** Tokens are 256 random bits, so a plain digest is enough to store. */
async function hashToken(ports: Pick<AccessPorts, "primitives">, token: string): Promise<string> {
  return bytesToHex(await ports.primitives.sha256(utf8(token)));
}
