import { expect, test } from "vitest";
import { monotonicClock, primitives, randomBytes, wallClock } from "#coordinator/adapters/system.ts";
import { createAccess, type Login } from "#coordinator/core/access/device-login.ts";
import { DOMAINS } from "#shared/crypto/domains.ts";
import { E } from "#shared/crypto/encode.ts";
import { localSigner } from "#shared/crypto/signature.ts";
import { WIRE_VERSION } from "#shared/protocol/wire-version.ts";

/* The login of one connection, without a socket. */

const hello = (identity: Uint8Array<ArrayBuffer>) =>
  ({ type: "hello", protocol: "chorus/1", wire: WIRE_VERSION, task: "digits", identity }) as Parameters<
    Login["hello"]
  >[0];

test("[W5] a connection that is being answered takes no second login: it never is two devices", async () => {
  let write = () => {};
  const written = new Promise<void>((resolve) => {
    write = resolve;
  });
  const access = createAccess({
    ...{ primitives, random: randomBytes, clock: monotonicClock, wall: wallClock, projectId: "default" },
    issuer: localSigner(randomBytes(32)),
    store: {
      findTask: async () => ({}) as never,
      useJoinToken: async () => false,
      putJoinToken: async () => {},
      noteDevice: () => written,
    },
  });
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
  expect(login.session?.identity).toBe(Buffer.from(signer.publicKey).toString("hex"));
});

test("[W5] tasks that devices came for are remembered, but not without end", async () => {
  const lookedUp: string[] = [];
  const access = createAccess({
    ...{ primitives, random: randomBytes, clock: monotonicClock, wall: wallClock, projectId: "default" },
    issuer: localSigner(randomBytes(32)),
    store: {
      findTask: async (slug) => {
        lookedUp.push(slug);
        return {} as never;
      },
      useJoinToken: async () => false,
      putJoinToken: async () => {},
      noteDevice: async () => {},
    },
  });
  const signer = localSigner(randomBytes(32));
  const comeFor = async (task: string) => {
    const login = access.openLogin("203.0.113.7");
    const challenge = login.hello({ ...hello(signer.publicKey), task } as Parameters<Login["hello"]>[0]);
    if (challenge.type !== "challenge") throw new Error("no challenge");
    const item = E(DOMAINS.login, challenge.challenge, "default", task, signer.publicKey);
    const reply = await login.authenticate({ type: "authenticate", signature: await signer.sign(item) });
    expect(reply.type).toBe("welcome");
  };
  await comeFor("first");
  await comeFor("first");
  expect(lookedUp).toEqual(["first"]);
  for (let index = 0; index < 100; index++) await comeFor(`task-${index}`);
  await comeFor("task-99");
  expect(lookedUp.length).toBe(101);
  await comeFor("first");
  expect(lookedUp.at(-1)).toBe("first");
  expect(lookedUp.length).toBe(102);
});
