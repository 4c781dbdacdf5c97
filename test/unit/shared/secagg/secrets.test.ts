import { createCipheriv, hkdfSync } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { maskKeyPairFromSeed, selfMaskKey } from "#shared/crypto/key-agreement.ts";
import type { Bytes } from "#shared/kernel/bytes.ts";
import { Secret } from "#shared/kernel/secret.ts";
import { encodeFrame } from "#shared/protocol/frame.ts";
import { deviceMessageSchema, inputHeadersSchema } from "#shared/protocol/messages/device.ts";
import { advertise } from "#shared/secagg/client.ts";
import { abort, type ClientState } from "#shared/secagg/client-state.ts";
import { seededRandom } from "#test/kit/secagg-fixtures.ts";
import { type CohortOptions, lastSent } from "#test/kit/worlds/cohort-device.ts";
import { runCohort, SecaggCohort } from "#test/kit/worlds/secagg-cohort.ts";

/** Every `Secret` inside a value. */
function secretsIn(value: unknown, seen = new Set<unknown>()): Secret<Bytes>[] {
  if (value instanceof Secret) return [value as Secret<Bytes>];
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value) || seen.has(value)) return [];
  seen.add(value);
  const inner = value instanceof Map ? [...value.values()] : Object.values(value);
  return inner.flatMap((member) => secretsIn(member, seen));
}

/** How a log, a debugger or a database row would show a value. */
function printed(value: unknown): string {
  const inspected = inspect(value, {
    depth: null,
    maxArrayLength: null,
    maxStringLength: null,
    showHidden: true,
    breakLength: Infinity,
  });
  return `${JSON.stringify(value)}\n${inspected}\n${String(value)}`;
}

/**
 * The ways in which bytes may appear in a text: hex, base64, and the lists that JSON and inspect make of typed arrays.
 */
function shows(text: string, secret: Uint8Array): boolean {
  // The first half is enough to reveal a secret, and cannot match by accident.
  const half = secret.subarray(0, 16);
  const spellings = [
    Buffer.from(half).toString("hex"),
    Buffer.from(half).toString("base64").slice(0, 20),
    half.join(", "),
    half.join(","),
    [...half].map((byte, index) => `"${index}":${byte}`).join(),
  ];
  return spellings.some((spelling) => text.includes(spelling));
}

const isZero = (bytes: Uint8Array) => bytes.every((byte) => byte === 0);

/** A cohort of five; position 5 leaves after sharing. `look` sees position 1 after each of its steps. */
async function watched(look: (state: ClientState, cohort: SecaggCohort) => void): Promise<SecaggCohort> {
  const cohort = await SecaggCohort.create({
    count: 5,
    vectorLength: 16,
    lastSteps: new Map([[5, "share"]]),
  });
  for (const step of ["advertiseAll", "shareAll", "collectAll", "confirmAll", "openAll"] as const) {
    expect(await cohort[step]()).toBeNull();
    look(cohort.device(1).state, cohort);
  }
  expect((await cohort.finish()).kind).toBe("committed");
  look(cohort.device(1).state, cohort);
  return cohort;
}

describe("secrets", () => {
  test("[S11] never appear in a printed state, message or step", async () => {
    const secrets: Uint8Array[] = [];
    const texts: string[] = [];
    const phases: string[] = [];
    const cohort = await watched((state) => {
      phases.push(state.phase);
      secrets.push(...secretsIn(state).map((secret) => secret.reveal().slice()));
      texts.push(printed(state));
    });
    expect(phases).toEqual(["advertised", "shared", "masked", "signed", "revealed", "done"]);
    // z, b, two key pairs; keys of four neighbours, both ways; shares of five devices: there was something to see.
    expect(secrets.length).toBeGreaterThan(20);
    const device = cohort.device(1);
    // The opening is the one message with shares, those of R4; it is checked separately.
    const opening = lastSent(device, "unmask");
    const given = [...opening.bShares, ...opening.zShares].map(({ share }) => share);
    texts.push(printed(device.sent.filter(({ type }) => type !== "unmask")), printed(device.remembered));
    for (const secret of secrets) {
      expect(texts.some((text) => shows(text, secret))).toBe(false);
      const frames = device.sent.map((message) => Buffer.from(encodeFrame(message)));
      const carried = frames.filter((frame) => frame.includes(Buffer.from(secret.subarray(0, 16))));
      expect(carried.length).toBe(given.some((share) => Buffer.from(share).equals(secret)) ? 1 : 0);
    }
  });

  test("[S11] would be found if they did appear (positive control)", async () => {
    const cohort = await SecaggCohort.create({ count: 3, vectorLength: 16 });
    await cohort.advertiseAll();
    const { state } = cohort.device(1);
    if (state.phase !== "advertised") throw new Error("advertised");
    const z = state.z.reveal();
    const leaks = [
      { ...state, z },
      { z: Array.from(z) },
      { z: Buffer.from(z).toString("hex") },
      { note: Buffer.from(z).toString("base64") },
    ];
    for (const leak of leaks) expect(shows(printed(leak), z)).toBe(true);
    expect(shows(printed(state), z)).toBe(false);
  });

  test("[S11] are wiped as soon as no later step needs them", async () => {
    const held = new Map<string, Secret<Bytes>[]>();
    await watched((state) => {
      const now = secretsIn(state);
      for (const secret of now) expect(isZero(secret.reveal())).toBe(false);
      // What an earlier state held and this one does not is overwritten.
      for (const earlier of held.values()) {
        for (const secret of earlier) if (!now.includes(secret)) expect(isZero(secret.reveal())).toBe(true);
      }
      held.set(state.phase, now);
    });
    const counts = Object.fromEntries([...held].map(([phase, secrets]) => [phase, secrets.length]));
    // advertised: z, b, c, s. shared: b, own b-share, two keys for each of four. masked: z and b of four, own b. signed
    // and revealed: one share of each of the five.
    expect(counts).toEqual({ advertised: 4, shared: 10, masked: 9, signed: 5, revealed: 5, done: 0 });
  });

  test("[S11] are wiped after an end from outside in every state, and after a refusal", async () => {
    const runs = ["advertiseAll", "shareAll", "collectAll", "confirmAll", "openAll"] as const;
    for (let count = 1; count <= runs.length; count++) {
      const cohort = await SecaggCohort.create({ count: 4, vectorLength: 16 });
      for (const run of runs.slice(0, count)) await cohort[run]();
      const [first, second] = [cohort.device(1).state, cohort.device(2).state];
      const secrets = [...secretsIn(first), ...secretsIn(second)];
      expect(secrets.some((secret) => isZero(secret.reveal()))).toBe(false);
      abort(first, "TIMEOUT");
      const nonsense = [
        {
          ...cohort.rosterMessage(),
          members: cohort.rosterMessage().members.filter((_, index) => index !== 1),
        },
        {
          type: "collect",
          sid: cohort.roster.sidHex,
          u2: new Uint8Array(1),
          shares: [],
          slot: "",
          deadlineInMs: 0,
        },
        {
          type: "sets",
          sid: cohort.roster.sidHex,
          u2: new Uint8Array(1),
          u3: new Uint8Array(1),
          deadlineInMs: 0,
        },
        {
          type: "open",
          sid: cohort.roster.sidHex,
          u2: new Uint8Array(1),
          u3: new Uint8Array(1),
          confirmations: [],
          deadlineInMs: 0,
        },
        {
          type: "open",
          sid: cohort.roster.sidHex,
          u2: new Uint8Array(1),
          u3: new Uint8Array(1),
          confirmations: [],
          deadlineInMs: 0,
        },
      ] as const;
      const step = await cohort.deliver(2, nonsense[count - 1] as never);
      expect(step.type).toBe("aborted");
      for (const secret of secrets) expect(isZero(secret.reveal())).toBe(true);
    }
  });

  test("[S11] are not among what the coordinator holds before the opening, nor is b outside U3 after it", async () => {
    const cohort = await watched(() => {});
    const draws = cohort.devices.map(({ position }) => {
      const random = seededRandom(`cohort device ${position}`);
      return { z: random(32), b: random(32), c: random(32) };
    });
    const stored = printed([
      cohort.roster,
      cohort.u2,
      cohort.sets,
      [...cohort.bundles.values()],
      [...cohort.openings.values()],
    ]);
    for (const { z, b, c } of draws)
      for (const secret of [z, b, c]) expect(shows(stored, secret)).toBe(false);
    // Only z-shares of the dropout were given, and only b-shares of the survivors.
    for (const { bShares, zShares } of cohort.openings.values()) {
      expect(bShares.map(({ owner }) => owner)).toEqual([1, 2, 3, 4]);
      expect(zShares.map(({ owner }) => owner)).toEqual([5]);
    }
    expect(shows(printed(draws[0]?.z), draws[0]?.z as Bytes)).toBe(true);
  });
});

describe("where randomness comes from", () => {
  const root = new URL("../../../../shared", import.meta.url).pathname;
  /** Sources of randomness in JavaScript besides the port, and the ways to reach a platform. */
  const FORBIDDEN =
    /Math\s*(?:\.|\[)\s*["'`]?random|getRandomValues|randomUUID|\brandomBytes\s*\(\s*\)|globalThis|from\s+["'](?:node:|crypto)/;
  const sourcesBelow = (folder: string) =>
    readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".ts"))
      .map((name) => join(folder, name));
  const RANDOM =
    /Math\s*(?:\.|\[)\s*["'`]?random|getRandomValues|randomUUID|randomBytes|randomInt|from\s+["'](?:node:)?crypto/;
  /** What the ring's kernel and the decoders of pictures look for in the platform: one name a line. */
  const ALLOWED = [
    "const { WebAssembly: wasm } = globalThis as { readonly WebAssembly?: WebAssemblyLike };",
    "(globalThis as unknown as { readonly WebAssembly: WebAssemblyLike }).WebAssembly;",
    "const platform = globalThis as { ImageData?: unknown };",
  ];
  /** Files are hashed as they are read. Nothing else of Node's cryptography is imported with it. */
  const HASHING = 'import { createHash } from "node:crypto";';
  /** Implements the port of randomness for both Node sides, which hand it in. */
  const NODE_PORT = "node/system.ts";
  /** Comments may name what code may not call. */
  const code = (source: string) => source.replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, "");

  test("[S12] nothing in shared/ except the engine and Node's port reaches Math.random or a platform's source", () => {
    const files = sourcesBelow(".").filter((name) => !name.startsWith("engine/") && name !== NODE_PORT);
    expect(files.length).toBeGreaterThan(30);
    const offenders = files.filter((name) => {
      // The rest of shared/node uses Node for files and locks, but not for randomness.
      const forbidden = name.startsWith("node/") ? RANDOM : FORBIDDEN;
      const source = [...ALLOWED, HASHING].reduce(
        (text, line) => text.replace(line, ""),
        code(readFileSync(join(root, name), "utf8")),
      );
      return forbidden.test(source);
    });
    expect(offenders).toEqual([]);
  });

  test("[S12] the search finds planted ones (positive control)", () => {
    const planted = [
      "const a = Math.random();",
      "const a = Math['random']();",
      "const { random } = Math; const b = Math . random;",
      "globalThis.crypto",
      "crypto.getRandomValues(bytes)",
      'import { randomBytes } from "node:crypto";',
    ];
    for (const line of planted) expect(FORBIDDEN.test(code(line))).toBe(true);
    for (const line of planted.filter((line) => line !== "globalThis.crypto"))
      expect(RANDOM.test(code(line))).toBe(true);
    expect(FORBIDDEN.test(code("// Math.random is banned\n/* Math.random */ const a = 1;"))).toBe(false);
  });

  test("[S12] a device draws everything from its port: the same draws give the same attempt", async () => {
    const bytes = async (seed: string) => {
      const { cohort } = await runCohort({ count: 3, seed, identitySeed: "one", vectorLength: 16 });
      return cohort.devices.map(({ sent, body }) => [
        ...sent.map((message) => String(encodeFrame(message))),
        String(body),
      ]);
    };
    expect(await bytes("a")).toEqual(await bytes("a"));
    const [first, second] = [(await bytes("a")).flat(), (await bytes("b")).flat()];
    expect(first.filter((text) => second.includes(text))).toEqual([]);
  });
});

describe("entropy of a mask key", () => {
  /** A device whose first draws are `z` and `b`; the rest is seeded. */
  async function adverts(z: Bytes, b: Bytes) {
    const cohort = await SecaggCohort.create({ count: 3 });
    const { tools, state } = cohort.device(1);
    const rest = seededRandom("rest");
    const firsts = [z, b].map((bytes) => bytes.slice());
    const asked: number[] = [];
    const random = (byteCount: number) => {
      asked.push(byteCount);
      return firsts.shift() ?? rest(byteCount);
    };
    if (state.phase !== "idle") throw new Error("idle");
    await advertise({ ...tools, random }, state);
    return asked;
  }

  test("[S13] a device draws 32 bytes each for z, b and its sealing key", async () => {
    expect(await adverts(new Uint8Array(32), new Uint8Array(32))).toEqual([32, 32, 32]);
  });

  test("[S13] each of the 256 bits of z changes the key pair, and each of b the self mask", async () => {
    const { primitives } = await SecaggCohort.create({ count: 3 });
    const seed = seededRandom("seed")(32);
    const flips = Array.from({ length: 256 }, (_, bit) =>
      seed.map((byte, index) => (index === bit >>> 3 ? byte ^ (1 << (bit & 7)) : byte)),
    );
    const publicKeys = await Promise.all([seed, ...flips].map((z) => maskKeyPairFromSeed(primitives, z)));
    expect(new Set(publicKeys.map(({ publicKey }) => String(publicKey))).size).toBe(257);
    const sid = new Uint8Array(32);
    const maskKeys = await Promise.all([seed, ...flips].map((b) => selfMaskKey(primitives, b, sid, 1)));
    expect(new Set(maskKeys.map(String)).size).toBe(257);
    // This holds for the secret key too: each of its bits changes at some point.
    const union = new Uint8Array(32);
    for (const { secretKey } of publicKeys) {
      for (const [index, byte] of secretKey.entries())
        union[index] = (union[index] as number) | (byte ^ (publicKeys[0]?.secretKey[index] as number));
    }
    expect(union.every((byte) => byte === 255)).toBe(true);
  });

  test("[S13] the masks of a whole input are AES-256 streams under 32-byte keys, recomputed by other code", async () => {
    const { cohort } = await runCohort({ count: 3, vectorLength: 100, input: () => new Uint32Array(100) });
    const { roster, primitives } = cohort;
    const draws = [1, 2, 3].map((position) => {
      const random = seededRandom(`cohort device ${position}`);
      return { z: random(32), b: random(32) };
    });
    const stream = (secret: Bytes, info: Buffer) => {
      const key = Buffer.from(hkdfSync("sha256", secret, roster.sid, info, 32));
      const bytes = createCipheriv("aes-256-ctr", key, Buffer.alloc(16)).update(Buffer.alloc(400));
      return new Uint32Array(new Uint8Array(bytes).buffer);
    };
    const item = (domain: string, ...positions: number[]) => {
      const u32 = (value: number) => [0, 0, 0, value];
      return Buffer.from([
        ...u32(domain.length),
        ...Buffer.from(domain),
        ...positions.flatMap((position) => [...u32(4), ...u32(position)]),
      ]);
    };
    // Position 2 is above 1 and below 3: it adds the mask with 1 and subtracts the mask with 3.
    const { secretKey } = await maskKeyPairFromSeed(primitives, draws[1]?.z as Bytes);
    const total = stream(draws[1]?.b as Bytes, item("chorus/1/self-mask", 2));
    for (const [other, sign] of [
      [1, 1],
      [3, -1],
    ] as const) {
      const shared = await primitives.x25519(secretKey, roster.members[other - 1]?.s as Bytes);
      if (!shared.ok) throw new Error("a key");
      const mask = stream(shared.value, item("chorus/1/pair-mask", Math.min(2, other), Math.max(2, other)));
      for (const [index, word] of mask.entries()) total[index] = (total[index] as number) + sign * word;
    }
    const body = new Uint32Array((cohort.device(2).body as Bytes).slice().buffer);
    expect(body).toEqual(total);
  });
});

describe("what is sent", () => {
  test("[S14] no message has a field for counts, losses or metrics", () => {
    const shapes = deviceMessageSchema.options.map(({ shape }) => Object.keys(shape));
    const fields = new Set([...shapes.flat(), ...Object.keys(inputHeadersSchema.shape)]);
    // A new field must be reviewed here before it can be sent. `code` is one of the error codes, in a `leave`; `wire`
    // is the number of the protocol, and `version` the release of the client. `log` and `logSize` are what it saw of the
    // public log, which is the same for all that saw it.
    const known =
      "against attempt bCommit bShares c code identity joinToken leaves log logSize protocol root round runId s sha256 sid signature slot " +
      "task taskVersion type version wire zShares";
    expect([...fields].sort()).toEqual(known.split(" "));
    for (const { shape } of deviceMessageSchema.options)
      expect(Object.keys(shape).some((key) => /num|count|loss|metric|weight/i.test(key))).toBe(false);
  });

  test("[S14] a canary in the vector appears in nothing that leaves the device", async () => {
    // Eight bytes that cannot occur by accident, in place of the weight.
    const [low, high] = [0x0c0ffee1, 0x5eed1e55];
    const canary = Buffer.from(Uint32Array.of(low, high).buffer);
    const input = () => new Uint32Array(64).fill(low, 40, 41).fill(high, 41, 42);
    const options: CohortOptions = { count: 4, input, lastSteps: new Map([[3, "share"]]) };
    const { cohort } = await runCohort(options);
    const { input: plain, body, sent } = cohort.device(1);
    expect(Buffer.from(plain.buffer).includes(canary)).toBe(true);
    const frames = sent.map((message) => Buffer.from(encodeFrame(message)));
    for (const bytes of [Buffer.from(body as Bytes), ...frames]) expect(bytes.includes(canary)).toBe(false);
  });
});
