import { verifySignature } from "#shared/crypto/signature.ts";
import { type Bytes, bytesToHex, equalBytes } from "#shared/kernel/bytes.ts";
import { ok, type Result } from "#shared/kernel/result.ts";
import type { WireError } from "#shared/protocol/errors.ts";
import type { DeviceMessageOf } from "#shared/protocol/messages/device.ts";
import { type Reply, refusedReply } from "#shared/protocol/messages/reply.ts";
import { certificateItem, loginItem } from "#shared/secagg/signed-items.ts";
import type { EnrolmentsOf } from "../ports/access-store.ts";
import type { CoordinatorPorts, Devices, Store } from "../ports/ports.ts";
import type { AccessNews } from "./act-writer.ts";
import { addressKey } from "./address.ts";
import type { AccessDesk } from "./desk.ts";
import { DevicePasses } from "./device-passes.ts";
import { type Admitted, Joining, type Newcomer } from "./joining.ts";
import { MACHINE, type Principal } from "./principal.ts";
import type { SiteRow } from "./rows.ts";
import { SiteConnections } from "./site-connections.ts";
import type { SitePresence } from "./views.ts";

/*
 * Login: a device proves that it holds its identity key. Then joining.ts decides whether it may take part in the task. The
 * store remembers identities, so they stay known after a restart. Anyone may bring a key to a public task, so this stops no
 * Sybils there; a task by invitation takes a join token.
 */

/** A challenge expires after this time. */
const CHALLENGE_LIFE_MS = 60_000;

export type AccessPorts = Pick<
  CoordinatorPorts,
  "primitives" | "random" | "clock" | "wall" | "log" | "issuer" | "projectId"
> & {
  readonly store: Pick<
    Store,
    "findPlaces" | "noteDevice" | "hasDevice" | "enrol" | "findEnrolments" | "deleteEnrolments"
  >;
  readonly desk: Pick<
    AccessDesk,
    "book" | "hashOf" | "enrolSite" | "noteSite" | "ensureProject" | "makeJoinToken" | "onNews"
  >;
  readonly devices: Pick<Devices, "drop">;
};

/** The identity that a connection has proved. */
interface Caller {
  /** 64 hex digits. */
  readonly identity: string;
  readonly task: string;
  /** Of the task. */
  readonly projectId: string;
  /** The join token that has enrolled it, so that limits per address do not count it; null for none. */
  readonly enrolledBy: string | null;
  /** What it says of its program; null if nothing. */
  readonly version: string | null;
}

/** Login of one connection. A challenge is for this connection, one identity and one task, and works once. */
export interface Login {
  /** Answers with a challenge, whatever the task: a stranger causes no look-up. Errors: STATE after login. */
  hello(message: DeviceMessageOf<"hello">): Reply;
  /**
   * Answers with the certificate. Errors: NOT_AUTHENTICATED without a live challenge, BAD_SIGNATURE, and those of
   * `Joining.admit`.
   */
  authenticate(message: DeviceMessageOf<"authenticate">): Promise<Reply>;
  /** Null until `authenticate` has answered `welcome`. */
  readonly caller: Caller | null;
}

export interface Access {
  openLogin(address: string): Login;
  /** Why a device that has logged in may no longer take part. Ask when its connection is adopted: a login takes a while. */
  revocationOf(caller: Caller): "REVOKED" | "TOKEN_ENDED" | null;
  /** The device has logged in for its task. */
  came(caller: Caller): void;
  /** Its last connection is gone. */
  went(identity: string): void;
  /** The device that holds this pass; null if it has ended. */
  deviceOf(pass: string): Promise<Principal | null>;
  presenceOf(site: SiteRow): Promise<SitePresence>;
  /**
   * Makes a join token for every task of a project, and the project if there is none. For programs that run in this
   * process.
   *
   * @throws Error that says why the desk refused.
   */
  mintJoinToken(uses: number, lifeMs: number, projectId?: string): Promise<string>;
}

export function createAccess(ports: AccessPorts): Access {
  const { desk } = ports;
  const joining = new Joining(ports);
  const sites = new SiteConnections(ports);
  const passes = new DevicePasses({ ...ports, hashOf: (token) => desk.hashOf(token) });
  /** By identity. */
  const connected = new Map<string, Caller>();
  desk.onNews((news) => heed(news, { joining, passes, connected }, ports));
  return {
    openLogin: (from) =>
      createLogin(ports, async (newcomer, joinToken) => {
        const admitted = await joining.admit(newcomer, joinToken, addressKey(from));
        if (!admitted.ok) return admitted;
        const { enrolledBy, projectId } = admitted.value;
        const { identity, task } = newcomer;
        const pass =
          enrolledBy === null ? undefined : await passes.make(identity, task, { projectId, enrolledBy });
        return ok({ ...admitted.value, pass });
      }),
    deviceOf: (pass) => passes.deviceOf(pass),
    revocationOf: ({ identity, enrolledBy }) => {
      if (joining.isRevoked(identity)) return "REVOKED";
      return joining.isRemoved(enrolledBy) ? "TOKEN_ENDED" : null;
    },
    came: (caller) => {
      const { identity, task, version } = caller;
      connected.set(identity, caller);
      sites.came(identity, task, version);
    },
    went: (identity) => {
      connected.delete(identity);
      sites.went(identity);
    },
    presenceOf: (site) => sites.presenceOf(site),
    mintJoinToken: async (uses, lifeMs, projectId = ports.projectId) => {
      await desk.ensureProject(projectId, MACHINE);
      const terms = { projectId, task: null, siteId: null, uses, lifeMs, actor: MACHINE };
      const made = await desk.makeJoinToken(terms);
      if (!made.ok) throw new Error(`No join token could be made. ${made.error.message}`);
      return made.value.token;
    },
  };
}

interface Heeding {
  readonly joining: Joining;
  readonly passes: DevicePasses;
  readonly connected: ReadonlyMap<string, Caller>;
}

/** Ends what rests on rows that are gone (X64, X70). */
function heed(
  news: AccessNews,
  { joining, passes, connected }: Heeding,
  { store, devices, log }: AccessPorts,
): void {
  // The book refuses these devices without it, so a failure leaves only rows that nobody asks for.
  const deleteEnrolments = (of: EnrolmentsOf) => {
    store
      .deleteEnrolments(of)
      .catch((error: unknown) => log.warn({ error: String(error) }, "enrolments were not deleted"));
  };
  switch (news.type) {
    case "site-revoked":
      if (news.identity !== null) {
        passes.end(news.identity);
        devices.drop(news.identity, "REVOKED");
      }
      deleteEnrolments({ siteId: news.siteId });
      break;
    case "joined-devices-removed":
      passes.endOf({ enrolledBy: news.tokenId });
      for (const { identity, enrolledBy } of [...connected.values()])
        if (enrolledBy === news.tokenId) devices.drop(identity, "TOKEN_ENDED");
      deleteEnrolments({ tokenId: news.tokenId });
      break;
    case "project-data-deleted":
      joining.forget(news.projectId);
      passes.endOf({ projectId: news.projectId });
      // Otherwise they would be in another project's task of the same name (X69).
      for (const { identity, projectId } of [...connected.values()])
        if (projectId === news.projectId) devices.drop(identity, "UNKNOWN_TASK");
      break;
    case "rights-lost":
      // The rows were read anew: another process may have written them.
      if (news.personId === null) joining.forget(null);
      break;
    default:
  }
}

interface LetIn extends Admitted {
  /** For HTTP requests; none for a device that anyone could be. */
  readonly pass: string | undefined;
}

interface Challenge {
  readonly identity: Bytes;
  readonly task: string;
  readonly challenge: Bytes;
  readonly atMs: number;
}

function createLogin(
  ports: AccessPorts,
  admit: (newcomer: Newcomer, joinToken: string | undefined) => Promise<Result<LetIn, WireError>>,
): Login {
  let pending: Challenge | null = null;
  let caller: Caller | null = null;
  let isAnswering = false;

  async function answer(
    asked: Challenge,
    { signature, joinToken, version }: DeviceMessageOf<"authenticate">,
  ): Promise<Reply> {
    const signed = loginItem(asked.challenge, ports.projectId, asked.task, asked.identity);
    if (!(await verifySignature(ports.primitives, asked.identity, signed, signature)))
      return refusedReply("BAD_SIGNATURE");
    const identity = bytesToHex(asked.identity);
    const admission = await admit({ identity, task: asked.task }, joinToken);
    if (!admission.ok) return { type: "refused", error: admission.error };
    await ports.store.noteDevice(identity, ports.wall.nowUnixMs());
    const certificate = await ports.issuer.sign(certificateItem(ports.projectId, asked.identity));
    const { pass, ...admitted } = admission.value;
    caller = { ...admitted, identity, task: asked.task, version: version ?? null };
    const { projectId, issuer } = ports;
    return {
      type: "welcome",
      projectId,
      issuerKey: issuer.publicKey,
      certificate,
      ...(pass === undefined ? {} : { pass }),
    };
  }

  return {
    get caller() {
      return caller;
    },
    hello: ({ identity, task }) => {
      // Also refused while an answer is being checked: a connection that became two devices would leave one
      // behind (W5).
      if (caller !== null || isAnswering)
        return refusedReply(
          "STATE",
          "This connection is already logged in. Open another for another identity.",
        );
      // A repeated hello gets the same challenge, so that an answer to the first still fits.
      const again = pending?.task === task && equalBytes(pending.identity, identity) ? pending : null;
      const challenge = again?.challenge ?? ports.random(32);
      pending = again ?? { identity, task, challenge, atMs: ports.clock.nowMs() };
      return { type: "challenge", challenge };
    },
    authenticate: async (message) => {
      if (caller !== null) return refusedReply("STATE", "This connection is already logged in.");
      const asked = pending;
      // The first answer uses it up, right or wrong (W5).
      pending = null;
      if (asked === null || ports.clock.nowMs() - asked.atMs > CHALLENGE_LIFE_MS)
        return refusedReply("NOT_AUTHENTICATED");
      isAnswering = true;
      try {
        return await answer(asked, message);
      } finally {
        isAnswering = false;
      }
    },
  };
}
