import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { accessLeaf } from "#coordinator/core/access/leaf.ts";
import { type PersonRow, personRowSchema } from "#coordinator/core/access/rows.ts";
import { registryRecords } from "#coordinator/core/desks/registry-events.ts";
import type { AccessEvent } from "#shared/access/log.ts";
import type { Json } from "#shared/codec/canonical-json.ts";
import { localSigner } from "#shared/crypto/signature.ts";
import { bytesToHex } from "#shared/kernel/bytes.ts";
import { primitives } from "#shared/node/system.ts";
import { modelNumberSchema } from "#shared/protocol/aliases.ts";
import type { HashHex, TaskSlug } from "#shared/protocol/ids.ts";
import type { RegistryEvent } from "#shared/registry/log.ts";
import { rotationBody } from "#shared/tlog/key-rotation.ts";
import { encodeLeaf, parseLeaf } from "#shared/tlog/leaf.ts";
import { LEAF_KINDS } from "#shared/tlog/leaf-kinds.ts";
import { Federation } from "#test/kit/worlds/federation.ts";

/*
 * Whatever people and devices call themselves, write or send: no entry of the public log, of whatever kind, has it, nor an
 * unsalted hash by which someone could try names.
 */

const hex = (text: string, digits: number) =>
  createHash("sha256").update(text).digest("hex").slice(0, digits);
const CANARY = {
  name: "canary.person",
  other: "canary.second",
  email: "canary.person@example.org",
  reason: "Because canary said so",
  label: "canary label",
  invitation: "Take part, says canary",
  address: "203.0.113.77",
  agent: "canary-agent/1.0",
} as const;
const IDS = { person: hex("person", 32), token: hex("token", 32), site: hex("site", 32) };
const SITE_KEY = hex("site key", 64) as HashHex;

interface Written {
  readonly kind: string;
  readonly at: number | null;
  readonly body: Readonly<Record<string, Json>>;
}

/** What may not be in a log: the canaries, ids of people and tokens, devices' keys, and plain hashes of each. */
function leaks(leaves: readonly Written[], more: readonly string[] = []): string[] {
  const text = JSON.stringify(leaves).toLowerCase();
  const secrets = [...Object.values(CANARY), ...Object.values(IDS), SITE_KEY, ...more];
  const hashes = secrets.flatMap((secret) => [
    hex(secret, 64),
    ...(/^[0-9a-f]+$/.test(secret)
      ? [createHash("sha256").update(Buffer.from(secret, "hex")).digest("hex")]
      : [hex(secret.toLowerCase(), 64)]),
  ]);
  return [...secrets, ...hashes, "canary"].filter((secret) => text.includes(secret.toLowerCase()));
}

/** Every leaf is one of its kind, so that a field cannot come along unseen. */
function expectWellFormed(leaves: readonly Written[]): void {
  for (const { kind, at, body } of leaves)
    expect([kind, parseLeaf(encodeLeaf(kind, at, body))]).toMatchObject([kind, { ok: true }]);
}

const AT = 1_700_000_000_000;
const slug = "small" as TaskSlug;
const [one, three] = [modelNumberSchema.parse(1), modelNumberSchema.parse(3)];
const person = (personId: string, name: string): PersonRow =>
  personRowSchema.parse({
    ...{ personId, name, isAdmin: true, roles: [], madeAt: AT, salt: hex(`salt of ${name}`, 64) },
    ...{ signsInWith: ["password"], rolesTaken: null, places: [hex(CANARY.agent, 64)] },
  });
const PEOPLE = [person(IDS.person, CANARY.name), person(hex("other", 32), CANARY.other)];

const actor = CANARY.name;
const researcher = { role: "researcher", projectId: "default" } as const;
const personId = IDS.person;
const ofToken = { tokenId: IDS.token, actor };
const ofProposal = { proposalId: hex("proposal", 32), actor };
const act = { type: "give-admin-role", personId } as const;

/** One event of each type; the compiler finds the missing one. */
const ACCESS: { readonly [Type in AccessEvent["type"]]: Extract<AccessEvent, { readonly type: Type }> } = {
  "set-up": { type: "set-up", personId, actor, projectId: "default" },
  "project-made": { type: "project-made", projectId: "default", actor },
  invited: { type: "invited", invitationId: IDS.token, role: researcher, actor },
  "invitation-withdrawn": { type: "invitation-withdrawn", invitationId: IDS.token, actor },
  joined: { type: "joined", invitationId: IDS.token, personId, name: CANARY.name, role: researcher, actor },
  "role-given": { type: "role-given", personId, name: CANARY.name, role: researcher, actor },
  "role-taken": { type: "role-taken", personId, name: CANARY.name, role: { role: "admin" }, actor },
  "signed-in-from-new-place": { type: "signed-in-from-new-place", personId, actor },
  "sign-in-changed": { type: "sign-in-changed", personId, what: "password", actor },
  "sign-in-removed": { type: "sign-in-removed", personId, what: "passkey", actor },
  "api-token-made": { type: "api-token-made", scopes: ["tasks"], endsAt: AT, ...ofToken },
  "api-token-revoked": { type: "api-token-revoked", ...ofToken },
  "join-token-made": {
    ...{ type: "join-token-made", projectId: "default", task: slug, uses: 3, endsAt: AT },
    ...ofToken,
  },
  "join-token-revoked": { type: "join-token-revoked", ...ofToken },
  "joined-devices-removed": { type: "joined-devices-removed", ...ofToken },
  "site-named": { type: "site-named", siteId: IDS.site, projectId: "default", actor },
  "site-enrolled": { type: "site-enrolled", siteId: IDS.site, key: SITE_KEY, actor: CANARY.label },
  "site-revoked": { type: "site-revoked", siteId: IDS.site, actor },
  proposed: { type: "proposed", act, reason: CANARY.reason, ...ofProposal },
  "proposal-agreed": { type: "proposal-agreed", act, alone: false, ...ofProposal },
  "proposal-refused": { type: "proposal-refused", ...ofProposal },
  "proposal-withdrawn": { type: "proposal-withdrawn", ...ofProposal },
  "proposal-ran-out": { type: "proposal-ran-out", ...ofProposal },
  "project-data-deleted": {
    ...{ type: "project-data-deleted", projectId: "default", taskCount: 1, runCount: 2, actor },
  },
  "person-erased": { type: "person-erased", personId, actor },
  "site-erased": { type: "site-erased", siteId: IDS.site, projectId: "default", actor },
  "ended-rows-deleted": { type: "ended-rows-deleted", of: "invitation", count: 3, actor },
};

const judged = { slug, from: one, to: three, gates: [], actor } as const;
const REGISTRY: {
  readonly [Type in RegistryEvent["type"]]: Extract<RegistryEvent, { readonly type: Type }>;
} = {
  "alias-moved": { type: "alias-moved", slug, alias: "shadow", from: null, to: three, actor },
  promoted: { ...judged, type: "promoted", gates: [] },
  "not-promoted": { ...judged, type: "not-promoted", gates: [] },
  "promoted-despite-gates": {
    ...{
      ...judged,
      type: "promoted-despite-gates",
      gates: [],
      proposalId: hex("proposal", 32),
      alone: false,
    },
    ...{ reason: CANARY.reason, reasonSalt: hex("salt", 64), proposedBy: CANARY.other },
  },
  "rolled-back": { type: "rolled-back", slug, from: three, to: one, actor },
};

async function accessLeaves(): Promise<Written[]> {
  const leaves: Written[] = [];
  for (const event of Object.values(ACCESS)) {
    const { kind, body } = await accessLeaf(primitives, PEOPLE, event, AT);
    leaves.push({ kind, at: AT, body: JSON.parse(JSON.stringify(body)) });
  }
  return leaves;
}

async function registryLeaves(): Promise<Written[]> {
  const leaves: Written[] = [];
  for (const event of Object.values(REGISTRY))
    for (const record of await registryRecords(primitives, event, AT, [hex("a mark", 64), null]))
      if (record.type === "audit-leaf")
        leaves.push({ kind: record.kind, at: AT, body: JSON.parse(JSON.stringify(record.body)) });
  return leaves;
}

/** A federation whose people sign with canaries in all that they do. */
async function federationLeaves() {
  const federation = await Federation.create({ devices: 3, hasHeldOut: false });
  const { coordinator, db, devices, task } = federation;
  federation.connectAll();
  const by = CANARY.email;
  await coordinator.tasks.changeTaskSettings(task.slug, { invitation: CANARY.invitation }, by);
  const launch = async (rounds: number) => {
    const launched = await coordinator.runs.launch({ task: task.slug, rounds, seed: 7 }, by);
    if (!launched.ok) throw new Error(launched.error.message);
    return launched.value.runId;
  };
  await federation.ended(await launch(1));
  const stopped = await launch(99);
  const isRunning = async () => (await federation.run(stopped)).state === "running";
  await federation.until(isRunning, "a run that can be paused");
  for (const verb of ["pause", "resume", "stopRun"] as const) {
    const done = await coordinator.runs[verb](stopped, by);
    if (!done.ok) throw new Error(done.error.message);
  }
  await federation.ended(stopped);
  await launch(9);
  await coordinator.tasks.createTask({ ...task, version: task.version + 1 }, by, undefined);
  await coordinator.tasks.archive(task.slug, by);
  await federation.inFlight.settle();
  const leaves: Written[] = db.leaves.map(({ kind, at, body }) => ({ kind, at, body }));
  return { leaves, log: db.log, identities: devices.map(({ identity }) => identity) };
}

describe("[A105] canaries", () => {
  const federated = federationLeaves();

  test("of people, tokens and sites are in no entry of access", async () => {
    const leaves = await accessLeaves();
    expectWellFormed(leaves);
    expect(leaks(leaves)).toEqual([]);
  });

  test("of whoever decides about models are in no entry of a registry", async () => {
    const leaves = await registryLeaves();
    expectWellFormed(leaves);
    expect(leaks(leaves)).toEqual([]);
  });

  test("of people and devices are in no entry of tasks, runs and rounds, though events have them", async () => {
    const { leaves, log, identities } = await federated;
    expectWellFormed(leaves);
    expect(leaks(leaves, identities)).toEqual([]);
    const events = JSON.stringify(log);
    for (const text of [CANARY.email, CANARY.invitation, ...identities]) expect(events).toContain(text);
  });

  test("are looked for in every kind of entry that is written", async () => {
    const looked = [...(await accessLeaves()), ...(await registryLeaves()), ...(await federated).leaves];
    const kinds = new Set<string>(looked.map(({ kind }) => kind));
    const elsewhere = [
      // Written by earlier programs only.
      ...["task.settings-changed", "task.held-out-set", "task.held-out-removed"],
      // Of held-out rows, with canaries in held-out.test.ts, and of the log's keys.
      ...["task.heldOutSet", "task.heldOutRemoved", "log.keyRotated"],
    ];
    expect(Object.keys(LEAF_KINDS).filter((kind) => !kinds.has(kind) && !elsewhere.includes(kind))).toEqual(
      [],
    );
  });

  test("have no place in an entry: only these fields take words, all of them the program's own", async () => {
    const words = new Set<string>();
    for (const [kind, schema] of Object.entries(LEAF_KINDS))
      for (const path of freeTexts(z.toJSONSchema(schema, { io: "input" }))) words.add(`${kind} ${path}`);
    const ofAct = ["proposal.made act", "proposal.agreed act"];
    const ofToken = ["token.made", "token.revoked", "devices.removed"].flatMap((kind) => [
      `${kind} scopes`,
      `${kind} projectId`,
    ]);
    expect([...words].sort()).toEqual(
      [
        ...[
          "round.opened codeVersion",
          "round.aborted code",
          "log.keyRotated origin",
          "deletion.performed what",
        ],
        ...[
          "config.changed names",
          "task.settings-changed names",
          "session.changed what",
          "session.removed what",
        ],
        // Projects and tasks have ids that people choose, and which are public.
        ...["project.made projectId", "site.named projectId", "deletion.performed projectId"],
        ...["role.given projectId", "role.taken projectId"],
        ...ofAct,
        ...ofToken,
      ].sort(),
    );
  });

  test("that are planted are found, as they are and as plain hashes (positive control)", async () => {
    const signer = localSigner(new Uint8Array(32).fill(5));
    const key = bytesToHex(signer.publicKey);
    const body = await rotationBody(signer, "log.example/1", signer.publicKey);
    expect(leaks([{ kind: "log.keyRotated", at: AT, body }], [key])).toEqual([key]);
    for (const secret of [...Object.values(CANARY), ...Object.values(IDS), SITE_KEY]) {
      for (const planted of [secret, hex(secret, 64)])
        expect(leaks([{ kind: "x", at: AT, body: { planted } }])).not.toEqual([]);
    }
    const ofBytes = createHash("sha256").update(Buffer.from(key, "hex")).digest("hex");
    expect(leaks([{ kind: "x", at: AT, body: { ofBytes } }], [key])).not.toEqual([]);
    // An unsalted mark of a person, which an erasure could not take away.
    const plain = [{ kind: "role.given", at: AT, body: { about: hex(IDS.person, 64) } }];
    expect(leaks(plain)).not.toEqual([]);
  });
});

/** Fields of a schema that hold any text: no pattern, no list of words. */
function freeTexts(schema: unknown, path = ""): string[] {
  if (typeof schema !== "object" || schema === null) return [];
  const { type, pattern, properties, items, prefixItems, anyOf, oneOf } = schema as Readonly<
    Record<string, unknown>
  >;
  if (type === "string") return pattern !== undefined || "enum" in schema || "const" in schema ? [] : [path];
  const below = [anyOf, oneOf, prefixItems, items].flat().flatMap((one) => freeTexts(one, path));
  const fields = Object.entries((properties ?? {}) as Readonly<Record<string, unknown>>);
  return [
    ...below,
    ...fields.flatMap(([name, one]) => freeTexts(one, path === "" ? name : `${path}.${name}`)),
  ];
}
