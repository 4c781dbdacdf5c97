import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import pg from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { openStore } from "#coordinator/adapters/database/open-store.ts";
import { NO_OVERRIDES } from "#coordinator/core/access/promotions.ts";
import { ALL_READABLE, type Store } from "#coordinator/core/ports/store.ts";
import { type AccessParts, openAccess } from "#coordinator/open-access.ts";
import { present } from "#shared/kernel/assert.ts";
import { err } from "#shared/kernel/result.ts";
import { primitives, randomBytes } from "#shared/node/system.ts";
import { wireError } from "#shared/protocol/errors.ts";
import { ManualClock } from "#test/kit/fakes/manual-clock.ts";
import { FAKE_SET } from "#test/kit/fakes/memory-held-out.ts";
import { startPostgres } from "#test/kit/worlds/postgres-server.ts";

/*
 * People's accounts, roles and tokens must outlive every later change. data/access-0012.*.sql are databases of migration
 * 0012, with the same rows, as the product wrote them on 2026-01-01: ada set the coordinator up and invited kim, a
 * researcher, and ben, an admin. The tokens below are those that were shown then. Made once, frozen.
 */

const INSTANCE = "0012".repeat(8);
const ADA = "f9244996aa3becbf34466658b281e2c2";
const KIM = "5027cf43cfa0f031bb045956280e3902";
const BEN = "5e2bfdc1577ced4c3cac1f010dd4d8a2";
const SITE = "ef3d74a5e591f2a3745897924cf66572";
const PROPOSAL = "d76bda0e501dc4d2918d64273910c841";
const SHOWN = {
  adasSession: "gmy-3bttGE4EmWdHTmloDQbES2Gp3ITLRnZwTeJXFAA",
  kimsSession: "oJRCCyPH3qxDmWebXYs60j1MetW6QEFkXITA46drfwQ",
  invitation: "chi_AloHb25mh6vUDn8UqsDLkDY-sK-eSOWM9EfCkezXago",
  withdrawnInvitation: "chi_FSIDaEW3oJUS69Yn5F4oooVioaNtElVucatAiINOZ40",
  apiToken: "cht_upT7Z4RWJjsn-bOWOPuDnisrJZWhVt8u5X4XMFk2tpY",
  revokedApiToken: "cht_2P-dCWiONIwHS1IcKrUtUQwxKOTiVmHhEhS7cxSZkFE",
  joinToken: "chj_TFc5VupejGWVMD3AJX5_ozSK9LtvMRVUHpRQy_jN0BM",
  siteToken: "chj_avBTz-QhjeCFi0J5ilBVJoT0HYwhKU3Y7d1InEPbbRk",
} as const;
const DEVICE = "1d".repeat(32);
const SITE_DEVICE = "2e".repeat(32);
const BROWSER = { address: "192.0.2.9", site: null, place: null };

const frozen = (dialect: "sqlite" | "postgresql") =>
  readFile(new URL(`data/access-0012.${dialect}.sql`, import.meta.url), "utf8");
const server = await startPostgres();
let scratch: string;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), "chorus-earlier-access-"));
});
afterAll(async () => {
  await server?.stop();
  await rm(scratch, { recursive: true, force: true });
});

let count = 0;
async function newFolder(): Promise<string> {
  const dataDir = join(scratch, String(++count));
  await mkdir(dataDir);
  await writeFile(join(dataDir, "instance.json"), JSON.stringify({ instance: INSTANCE }));
  return dataDir;
}

async function openSqlite(): Promise<Store> {
  const dataDir = await newFolder();
  const sqlite = new DatabaseSync(join(dataDir, "chorus.db"));
  sqlite.exec(await frozen("sqlite"));
  sqlite.close();
  return openStore({ dataDir });
}

async function openPostgres(of: NonNullable<typeof server>): Promise<Store> {
  const databaseUrl = await of.createDatabase();
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  await client.query(await frozen("postgresql"));
  await client.end();
  return openStore({ dataDir: await newFolder(), databaseUrl });
}

const databases: readonly (readonly [string, boolean, () => Promise<Store>])[] = [
  ["SQLite", true, openSqlite],
  ["PostgreSQL", server !== null, () => openPostgres(present(server, "a server"))],
];

for (const [kind, isHere, open] of databases)
  describe.skipIf(!isHere)(`[D12] accounts of an earlier version's ${kind}`, () => accounts(open));

function accounts(open: () => Promise<Store>): void {
  let store: Store;
  let access: AccessParts;
  beforeEach(async () => {
    store = await open();
    const clock = new ManualClock();
    access = await openAccess({
      ...{ primitives, random: randomBytes, clock, wall: clock, after: clock.after, store, keeping: null },
      log: { info: () => {}, warn: () => {}, error: () => {} },
      projects: { deleteData: async () => err(wireError("UNAVAILABLE")) },
      registry: NO_OVERRIDES,
    });
  });
  afterEach(async () => {
    access.close();
    await store.close();
  });

  test("open by password and session, with the roles that they had", async () => {
    const { doors, accessDesk, signIns } = access;
    for (const [name, password, personId] of [
      ["ada", "an ordinary sentence", ADA],
      ["kim", "kims own sentence", KIM],
      ["ben", "bens own sentence", BEN],
    ] as const) {
      const entered = await doors.signIn(name, password, BROWSER);
      expect(entered).toMatchObject({ ok: true, value: { person: { personId, name } } });
    }
    expect(await doors.signIn("ada", "kims own sentence", BROWSER)).toMatchObject({
      error: { wire: { code: "WRONG_CREDENTIALS" } },
    });
    expect(await signIns.findSession(SHOWN.adasSession)).toMatchObject({ personId: ADA });
    expect(await signIns.findSession(SHOWN.kimsSession)).toMatchObject({ personId: KIM });
    expect((await signIns.waysOf(KIM)).map(({ way }) => way).sort()).toEqual(["passkey", "password"]);
    expect(
      accessDesk.book
        .admins()
        .map(({ name }) => name)
        .sort(),
    ).toEqual(["ada", "ben"]);
    expect(accessDesk.book.personByName("kim")).toMatchObject({
      isAdmin: false,
      roles: [{ projectId: "ward", role: "researcher" }],
    });
    expect(accessDesk.book.list("project").map(({ projectId }) => projectId)).toEqual(["lab", "ward"]);
    expect(doors.openSetUp()).toBeNull();
  });

  test("keep a passkey's key and counter", async () => {
    expect(await store.findAuthRecords("passkey", [], { limit: 9 })).toEqual([
      {
        ...{ credentialId: "AAECAwQFBgc", personId: KIM, publicKey: Uint8Array.of(1, 2, 254, 255) },
        ...{ counter: 7, transports: '["internal"]', madeAt: 1_767_225_600_000 },
      },
    ]);
  });

  test("keep API tokens in force, and revoked ones revoked", async () => {
    const { accessDesk } = access;
    expect(await accessDesk.personOfApiToken(SHOWN.apiToken)).toMatchObject({
      name: "kim",
      by: { type: "token", scopes: new Set(["read", "runs"]) },
    });
    expect(await accessDesk.personOfApiToken(SHOWN.revokedApiToken)).toBeNull();
  });

  test("keep invitations and proposals as they were, and decide them", async () => {
    const { doors, accessDesk } = access;
    expect(await doors.lookAtInvitation(SHOWN.withdrawnInvitation, BROWSER)).toMatchObject({ ok: false });
    const newcomer = {
      name: "udo",
      credential: { type: "password", password: "udos own sentence" },
    } as const;
    expect(await doors.useInvitation(SHOWN.invitation, newcomer, BROWSER)).toMatchObject({ ok: true });
    expect(await accessDesk.agree(PROPOSAL, "ada")).toMatchObject({ error: { code: "FORBIDDEN" } });
    expect(await accessDesk.agree(PROPOSAL, "ben")).toMatchObject({ ok: true });
    expect(accessDesk.book.personByName("kim")?.isAdmin).toBe(true);
  });

  test("keep join tokens with their uses, enrolled devices and the site", async () => {
    const { accessDesk } = access;
    const token = await accessDesk.joinTokenOf(SHOWN.joinToken);
    expect(token).toMatchObject({ projectId: "ward", task: "small", uses: 3 });
    expect((await store.countJoins()).get(token?.tokenId ?? "")).toBe(1);
    expect(await store.findEnrolments(DEVICE)).toMatchObject([
      { tokenId: token?.tokenId, projectId: "ward", task: "small", siteId: null },
    ]);
    expect(await accessDesk.joinTokenOf(SHOWN.siteToken)).toMatchObject({ siteId: SITE, task: null });
    expect(await store.findEnrolments(SITE_DEVICE)).toMatchObject([{ siteId: SITE }]);
    expect(accessDesk.book.siteByIdentity(SITE_DEVICE)).toMatchObject({
      ...{ siteId: SITE, name: "Clinic North", revokedAt: null, version: "0.1.0" },
    });
  });

  test("keep a task's settings, and the log goes on behind its last event", async () => {
    expect((await store.findTask("small"))?.settings).toMatchObject({
      ...{ joining: "invitation", heldOut: FAKE_SET, archived: { by: "kim" } },
    });
    expect((await store.listTasks(ALL_READABLE, { limit: 9 })).items).toEqual([]);
    const before = await store.readStream({ kind: "access", id: "coordinator" });
    expect(before).toHaveLength(18);
    expect(await access.accessDesk.makeProject("third", "ada")).toMatchObject({ ok: true });
    const after = await store.readStream({ kind: "access", id: "coordinator" });
    expect(after.map(({ sequence }) => sequence)).toEqual(
      Array.from({ length: 19 }, (_, index) => index + 1),
    );
  });
}
