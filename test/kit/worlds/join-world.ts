import { AccessDesk } from "#coordinator/core/access/desk.ts";
import { type Access, createAccess, type Login } from "#coordinator/core/access/device-login.ts";
import type { Store } from "#coordinator/core/ports/ports.ts";
import { DOMAINS } from "#shared/crypto/domains.ts";
import { E } from "#shared/crypto/encode.ts";
import { localSigner } from "#shared/crypto/signature.ts";
import { present } from "#shared/kernel/assert.ts";
import { bytesToHex } from "#shared/kernel/bytes.ts";
import type { Signer } from "#shared/kernel/ports.ts";
import { ok, type Result } from "#shared/kernel/result.ts";
import { primitives, randomBytes } from "#shared/node/system.ts";
import type { WireError } from "#shared/protocol/errors.ts";
import { WIRE_VERSION } from "#shared/protocol/wire-version.ts";
import { type MemoryDatabase, memoryDatabase } from "../fakes/memory-database.ts";
import { memoryStore } from "../fakes/memory-store.ts";

/** Public keys of `oneOfMany`, in hex. */
const crowd = new Set<string>();
/** Canonical, and nothing else. */
const CROWD_SIGNATURE = new Uint8Array(64).fill(5);

interface Coming {
  readonly address?: string;
  readonly token?: string;
  readonly version?: string;
  /** A signature that does not verify. */
  readonly forged?: boolean;
}

/** The login of devices over the desk of access and a store in memory, with clocks that tests set. */
export interface JoinWorld {
  readonly access: Access;
  readonly desk: AccessDesk;
  readonly db: MemoryDatabase;
  /** Calls of the store by the login, in order. */
  readonly calls: string[];
  /** Identities whose connections were ended, with the code. */
  readonly dropped: string[];
  /** The pass of each welcome, in order; null for none. */
  readonly passes: (string | null)[];
  /** Unix milliseconds. */
  now: number;
  login(signer: Signer, task: string, coming?: Coming): Promise<Result<Login, WireError>>;
  /** The code of a refusal, or `welcome`. */
  comes(signer: Signer, task: string, coming?: Coming): Promise<string>;
  /** Logs in and stays. */
  connects(signer: Signer, task: string, coming?: Coming): Promise<string>;
  token(of: {
    readonly projectId?: string;
    readonly task?: string | null;
    readonly siteId?: string | null;
    readonly uses?: number;
    readonly lifeMs?: number;
  }): Promise<{ readonly token: string; readonly tokenId: string }>;
  site(name: string): Promise<string>;
}

export const newDevice = (): Signer => localSigner(randomBytes(32));
/** A device whose signatures are believed, which costs no time. For tests of limits, which take hundreds. */
export function oneOfMany(): Signer {
  const publicKey = randomBytes(32).fill(1, 31);
  crowd.add(bytesToHex(publicKey));
  return { publicKey, sign: async () => CROWD_SIGNATURE };
}

export const identityOf = (signer: Signer): string => bytesToHex(signer.publicKey);

/** Projects `ward`, with the tasks `open` (public) and `closed` and `other` (by invitation), and `lab` with `foreign`. */
export async function openJoinWorld(db: MemoryDatabase = seeded()): Promise<JoinWorld> {
  const store = memoryStore(db);
  const calls: string[] = [];
  const dropped: string[] = [];
  const passes: (string | null)[] = [];
  const world = { now: 1_700_000_000_000 };
  const platform = {
    ...{ primitives, random: randomBytes, projectId: "ward" },
    wall: { nowUnixMs: () => world.now },
    log: { info: () => {}, warn: () => {}, error: () => {} },
  };
  const desk = new AccessDesk({ ...platform, store, after: () => () => {} });
  await desk.start(async (projectId, agreed) => {
    const written = await agreed(await store.findProjectData(projectId));
    if (written.ok) await store.deleteProjectData(projectId);
    return written;
  });
  if (!desk.isClaimed) {
    await desk.setUp({ personId: "a".repeat(32), name: "ada", signsInWith: "password" }, "ward");
    await desk.makeProject("lab", "ada");
  }
  const access = createAccess({
    ...platform,
    primitives: {
      ...primitives,
      ed25519VerifyLoose: async (key, ...signed) =>
        crowd.has(bytesToHex(key)) || primitives.ed25519VerifyLoose(key, ...signed),
    },
    desk,
    // Stands still, so that no limit refills.
    clock: { nowMs: () => 0 },
    issuer: localSigner(new Uint8Array(32).fill(7)),
    store: noting(store, calls),
    devices: { drop: (identity, code) => void dropped.push(`${code} ${identity}`) },
  });
  const login: JoinWorld["login"] = async (signer, task, coming = {}) => {
    const { address = "203.0.113.7", token, version, forged = false } = coming;
    const opened = access.openLogin(address);
    const identity = signer.publicKey;
    const hello = { type: "hello", protocol: "chorus/1", wire: WIRE_VERSION, task, identity };
    const challenge = opened.hello(hello as Parameters<Login["hello"]>[0]);
    if (challenge.type !== "challenge") throw new Error("no challenge");
    const item = E(DOMAINS.login, challenge.challenge, "ward", task, identity);
    const signature = forged ? new Uint8Array(64) : await signer.sign(item);
    const reply = await opened.authenticate({ type: "authenticate", signature, joinToken: token, version });
    if (reply.type === "welcome") passes.push(reply.pass ?? null);
    return reply.type === "refused" ? { ok: false, error: reply.error } : ok(opened);
  };
  return Object.assign(world, {
    ...{ access, desk, db, calls, dropped, passes, login },
    comes: async (...args: Parameters<JoinWorld["login"]>) => {
      const opened = await login(...args);
      return opened.ok ? "welcome" : opened.error.code;
    },
    connects: async (...args: Parameters<JoinWorld["login"]>) => {
      const opened = await login(...args);
      const caller = opened.ok ? opened.value.caller : null;
      if (caller === null) throw new Error("it is let in");
      access.came(caller);
      return caller.identity;
    },
    token: async ({
      projectId = "ward",
      task = null,
      siteId = null,
      uses = 1,
      lifeMs = 60_000,
    }: Parameters<JoinWorld["token"]>[0]) => {
      const made = await desk.makeJoinToken({ projectId, task, siteId, uses, lifeMs, actor: "ada" });
      if (!made.ok) throw new Error(made.error.message);
      return { token: made.value.token, tokenId: made.value.row.tokenId };
    },
    site: async (name: string) => {
      const named = await desk.nameSite(name, "ward", "ada");
      if (!named.ok) throw new Error(named.error.message);
      return named.value.siteId;
    },
  });
}

function seeded(): MemoryDatabase {
  const db = memoryDatabase();
  for (const [slug, projectId, joining] of [
    ["open", "ward", "public"],
    ["closed", "ward", "invitation"],
    ["other", "ward", "invitation"],
    ["foreign", "lab", "invitation"],
  ] as const) {
    // The login asks for no more of a task than this.
    db.tasks.push({ projectId, task: { slug } } as (typeof db.tasks)[number]);
    db.taskSettings.set(slug, { joining });
  }
  return db;
}

/** The same store, which notes the names of its calls. */
function noting(store: Store, calls: string[]): Store {
  return new Proxy(store, {
    get: (target, name) => {
      const method: unknown = Reflect.get(target, name);
      if (typeof method !== "function") return method;
      return (...args: unknown[]) => {
        calls.push(String(name));
        return present(method, "a method").apply(target, args);
      };
    },
  });
}
