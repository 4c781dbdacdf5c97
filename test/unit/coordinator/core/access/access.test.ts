import { describe, expect, test } from "vitest";
import { AccessBook } from "#coordinator/core/access/book.ts";
import { type AccessPorts, createAccess, type Login } from "#coordinator/core/access/device-login.ts";
import { DOMAINS } from "#shared/crypto/domains.ts";
import { E } from "#shared/crypto/encode.ts";
import { localSigner } from "#shared/crypto/signature.ts";
import { monotonicClock, primitives, randomBytes, wallClock } from "#shared/node/system.ts";
import { LIMITS } from "#shared/protocol/limits.ts";
import { WIRE_VERSION } from "#shared/protocol/wire-version.ts";

/* The login of one connection, without a socket. */

const hello = (identity: Uint8Array<ArrayBuffer>) =>
  ({ type: "hello", protocol: "chorus/1", wire: WIRE_VERSION, task: "digits", identity }) as Parameters<
    Login["hello"]
  >[0];

const PLACE = { projectId: "default", slug: "digits", joining: "public" } as const;

/** Access without tokens or sites, over a store that knows one public task. */
function accessOver(store: Partial<AccessPorts["store"]>, clock: AccessPorts["clock"] = monotonicClock) {
  const none = async () => {
    throw new Error("no token is used here");
  };
  return createAccess({
    ...{ primitives, random: randomBytes, clock, wall: wallClock, projectId: "default" },
    issuer: localSigner(randomBytes(32)),
    log: { info: () => {}, warn: () => {}, error: () => {} },
    devices: { drop: () => {} },
    desk: {
      book: new AccessBook(),
      onNews: () => () => {},
      ...{ hashOf: none, enrolSite: none, noteSite: none, ensureProject: none, makeJoinToken: none },
    },
    store: {
      findPlaces: async () => [PLACE],
      findEnrolments: async () => [],
      noteDevice: async () => {},
      hasDevice: async () => false,
      ...{ enrol: none, deleteEnrolments: none },
      ...store,
    },
  });
}

test("[W5] a connection whose login is being answered takes no second one: it is never two devices", async () => {
  let write = () => {};
  const written = new Promise<void>((resolve) => {
    write = resolve;
  });
  const access = accessOver({ noteDevice: () => written });
  const login = access.openLogin("203.0.113.7");
  const signer = localSigner(randomBytes(32));
  const challenge = login.hello(hello(signer.publicKey));
  if (challenge.type !== "challenge") throw new Error("no challenge");
  const item = E(DOMAINS.login, challenge.challenge, "default", "digits", signer.publicKey);
  const signature = await signer.sign(item);
  const first = login.authenticate({ type: "authenticate", signature });
  const other = login.hello(hello(localSigner(randomBytes(32)).publicKey));
  const again = login.authenticate({ type: "authenticate", signature });
  expect(other).toMatchObject({ type: "refused", error: { code: "STATE" } });
  expect(await again).toMatchObject({ type: "refused", error: { code: "NOT_AUTHENTICATED" } });
  write();
  expect((await first).type).toBe("welcome");
  expect(login.caller?.identity).toBe(Buffer.from(signer.publicKey).toString("hex"));
});

describe("devices that have been here before", () => {
  const ADDRESS = "203.0.113.7";
  const signers = Array.from({ length: LIMITS.joinsBurstPerAddress }, () => localSigner(randomBytes(32)));
  const stored = new Set<string>();
  let lookUps = 0;

  /** A life of the coordinator. Its clock stands still, so that no join is restored. */
  function openLife({ remembersDevices = true } = {}) {
    const access = accessOver(
      {
        noteDevice: async (identity) => void stored.add(identity),
        hasDevice: async (identity) => {
          lookUps += 1;
          return remembersDevices && stored.has(identity);
        },
      },
      { nowMs: () => 0 },
    );
    return async (signer: ReturnType<typeof localSigner>, sign = signer.sign) => {
      const login = access.openLogin(ADDRESS);
      const challenge = login.hello(hello(signer.publicKey));
      if (challenge.type !== "challenge") throw new Error("no challenge");
      const item = E(DOMAINS.login, challenge.challenge, "default", "digits", signer.publicKey);
      const reply = await login.authenticate({ type: "authenticate", signature: await sign(item) });
      return reply.type === "refused" ? reply.error.code : reply.type;
    };
  }
  const comeBack = async (login: ReturnType<typeof openLife>) =>
    new Set(await Promise.all(signers.map((signer) => login(signer))));

  test("[W5] are known after a restart, so that the joins of their address are left for new ones", async () => {
    const first = openLife();
    expect(await comeBack(first)).toEqual(new Set(["welcome"]));
    expect(await first(localSigner(randomBytes(32)))).toBe("RATE_LIMITED");
    const second = openLife();
    expect(await comeBack(second)).toEqual(new Set(["welcome"]));
    for (const _ of signers) expect(await second(localSigner(randomBytes(32)))).toBe("welcome");
    expect(await second(localSigner(randomBytes(32)))).toBe("RATE_LIMITED");
    // Positive control: if the store forgot them, they would use up the joins.
    const forgetful = openLife({ remembersDevices: false });
    expect(await comeBack(forgetful)).toEqual(new Set(["welcome"]));
    expect(await forgetful(localSigner(randomBytes(32)))).toBe("RATE_LIMITED");
  });

  test("[W5] cause no look-up before they have signed, none while they are remembered, and not too many", async () => {
    const login = openLife();
    const [signer = localSigner(randomBytes(32))] = signers;
    lookUps = 0;
    expect(await login(signer, async () => new Uint8Array(64))).toBe("BAD_SIGNATURE");
    expect(lookUps).toBe(0);
    for (let times = 0; times < 3; times++) expect(await login(signer)).toBe("welcome");
    expect(lookUps).toBe(1);
    for (let made = 0; made < 2 * LIMITS.deviceLookUpsBurstPerAddress; made++)
      await login(localSigner(randomBytes(32)));
    expect(lookUps).toBe(LIMITS.deviceLookUpsBurstPerAddress);
  });
});
