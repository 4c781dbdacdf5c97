import { describe, expect, test } from "vitest";
import { AccessDesk } from "#coordinator/core/access/desk.ts";
import { ALL_READABLE } from "#coordinator/core/ports/store.ts";
import { type AccessEvent, accessFactOf } from "#shared/access/log.ts";
import { present } from "#shared/kernel/assert.ts";
import type { Result } from "#shared/kernel/result.ts";
import { primitives } from "#shared/node/system.ts";
import type { TaskSlug } from "#shared/protocol/ids.ts";
import { Federation, type WriteHook } from "#test/kit/worlds/federation.ts";

/* A project with a run, kept uploads, tokens and sites is deleted by two admins, beside a project that stays. */

const ADA = { personId: "a".repeat(32), name: "ada", signsInWith: "password" } as const;
const BOB = { personId: "b".repeat(32), name: "bob", signsInWith: "passkey" } as const;
const ACT = { type: "delete-project-data", projectId: "default" } as const;
const [CLINIC, HOME] = ["c".repeat(64), "d".repeat(64)];

function must<Value>(done: Result<Value, { readonly message: string }>): Value {
  if (!done.ok) throw new Error(done.error.message);
  return done.value;
}

/** As a process starts: the desk over the store, and then what was left to do. */
async function openDesk(federation: Federation): Promise<AccessDesk> {
  const { projects } = federation.coordinator;
  const desk = new AccessDesk(federation.ports);
  await desk.start((projectId, agreed) => projects.deleteData(projectId, agreed));
  await desk.finishDeletions();
  return desk;
}

interface World {
  readonly federation: Federation;
  readonly desk: AccessDesk;
  readonly proposalId: string;
  readonly runId: string;
  readonly otherRunId: string;
}

async function setUp(): Promise<World> {
  const federation = await Federation.create({
    devices: 4,
    keeping: { rounds: 1, auditorKey: await primitives.x25519PublicKey(new Uint8Array(32).fill(9)) },
  });
  federation.connectAll();
  const desk = await openDesk(federation);
  must(await desk.setUp(ADA, "default"));
  const invited = must(await desk.invite({ role: "admin" }, "", "ada"));
  must(await desk.useInvitation(invited.token, BOB));
  must(await desk.makeProject("lab", "ada"));
  const terms = { task: null, uses: 3, lifeMs: 60_000, actor: "ada" };
  for (const [projectId, identity] of [
    ["default", HOME],
    ["lab", CLINIC],
  ] as const) {
    const { row } = must(await desk.makeJoinToken({ ...terms, projectId, siteId: null }));
    const enrolment = { identity, projectId, task: null, siteId: null, enrolledAt: 1 };
    await federation.ports.store.enrol(row.tokenId, 3, enrolment);
  }
  for (const identity of ["e".repeat(64), "f".repeat(64)]) {
    const site = must(await desk.nameSite(`Clinic ${identity[0]}`, "default", "ada"));
    must(await desk.enrolSite(site.siteId, identity));
    if (identity.startsWith("f")) must(await desk.revokeSite(site.siteId, "ada"));
  }
  const runId = await federation.launch(1);
  await federation.ended(runId);
  // Its first model is that of the project which goes.
  const slug = "other" as TaskSlug;
  must(await federation.coordinator.tasks.createTask({ ...federation.task, slug }, "ada", "lab"));
  const other = must(await federation.coordinator.runs.launch({ task: slug, rounds: 1, seed: 7 }, "ada"));
  await federation.inFlight.settle();
  const { proposalId } = must(await desk.propose(ACT, "the study has ended", "ada"));
  return { federation, desk, proposalId, runId, otherRunId: other.runId };
}

async function log({ federation }: Pick<World, "federation">): Promise<readonly AccessEvent[]> {
  const rows = await federation.ports.store.readStream({ kind: "access", id: "coordinator" });
  return rows.map((row) => {
    const fact = accessFactOf(row);
    if (!fact.ok) throw new Error("an event is not readable");
    return fact.value;
  });
}

/** Everything by name, of the project that goes and of the one that stays. */
async function inventory({ federation, runId, otherRunId }: World, desk: AccessDesk) {
  const { coordinator, db, disk } = federation;
  const runs = await coordinator.runs.listRuns(ALL_READABLE, { limit: 9 });
  const tasks = await coordinator.tasks.listTasks(ALL_READABLE, { limit: 9 });
  return {
    tasks: tasks.items.map(({ task }) => task.slug),
    runs: runs.items.map((run) => [runId, otherRunId].indexOf(run.runId)),
    models: db.versions.map((row) => [runId, otherRunId].indexOf(row.runId)),
    blobs: disk.blobs.size,
    uploads: disk.spool.size,
    transcripts: db.transcripts.size,
    enrolments: db.enrolments.map(({ projectId }) => projectId),
    joinTokens: desk.book.list("join-token").map(({ projectId }) => projectId),
    stored: [...db.accessRows.values()].filter(({ kind }) => kind === "join-token").length,
    sites: desk.book.list("site").map(({ name }) => name),
  };
}

const AFTER = {
  tasks: ["other"],
  runs: [1],
  models: [1],
  blobs: 1,
  uploads: 0,
  transcripts: 0,
  enrolments: ["lab"],
  joinTokens: ["lab"],
  stored: 1,
  sites: ["Clinic f"],
};

describe("[X89] deleting a project's data", () => {
  test("takes two admins, leaves nothing of it, and nothing of another project is missing", async () => {
    const world = await setUp();
    const { federation, desk, proposalId } = world;
    const before = await inventory(world, desk);
    expect(before).toMatchObject({ sites: ["Clinic e", "Clinic f"], joinTokens: ["default", "lab"] });
    for (const name of ["uploads", "transcripts"] as const) expect(before[name]).toBeGreaterThan(0);
    expect(before.blobs).toBeGreaterThan(2);
    const alone = await desk.agree(proposalId, "ada");
    expect(alone.ok ? null : alone.error.code).toBe("FORBIDDEN");
    expect(await inventory(world, desk)).toEqual(before);

    must(await desk.agree(proposalId, "bob"));
    expect(await inventory(world, desk)).toEqual(AFTER);
    expect((await log(world)).slice(-2)).toEqual([
      { type: "proposal-agreed", proposalId, act: ACT, alone: false, actor: "bob" },
      { type: "project-data-deleted", projectId: "default", taskCount: 1, runCount: 1, actor: "bob" },
    ]);
    expect(desk.book.siteByIdentity("f".repeat(64))?.revokedAt).not.toBeNull();
    expect(desk.book.siteByIdentity("e".repeat(64))).toBeNull();
    // The first model of the other run is still there, and so is what a restart reads.
    const [stays] = [...federation.disk.blobs.keys()];
    expect(federation.db.versions[0]?.modelHash).toBe(stays);
    await federation.restart();
    expect(await inventory(world, await openDesk(federation))).toEqual(AFTER);
  });

  test("is refused while a run is open, and nothing is agreed to", async () => {
    const world = await setUp();
    const { federation, desk, proposalId } = world;
    const runId = await federation.launch(1, 8);
    const agreed = await desk.agree(proposalId, "bob");
    expect(agreed.ok ? null : agreed.error).toMatchObject({
      code: "CONFLICT",
      message: expect.stringContaining("Stop it"),
    });
    expect((await log(world)).at(-1)?.type).toBe("proposed");
    expect(desk.book.get("proposal", proposalId)?.end).toBeNull();
    must(await federation.coordinator.runs.stopRun(runId, "ada"));
    await federation.ended(runId);
    must(await desk.agree(proposalId, "bob"));
    expect(await inventory(world, desk)).toEqual(AFTER);
  });

  test("is tried again after a fault, with no launch in between", async () => {
    const world = await setUp();
    const { federation, desk, proposalId } = world;
    federation.away = (name) => (name === "deleteProjectData" ? new Error("the disk is full") : null);
    expect(must(await desk.agree(proposalId, "bob")).end?.how).toBe("agreed");
    expect((await log(world)).at(-1)?.type).toBe("proposal-agreed");
    const { runs } = federation.coordinator;
    const launched = await runs.launch({ task: federation.task.slug, rounds: 1, seed: 9 }, "ada");
    expect(launched.ok).toBe(false);
    federation.away = () => null;
    await federation.until(async () => (await log(world)).at(-1)?.type === "project-data-deleted");
    expect(await inventory(world, desk)).toEqual(AFTER);
  });

  test("that is killed at any write is finished by the next start, once", async () => {
    const names = new Set<string>();
    let isReached = true;
    for (let index = 0; isReached; index++) {
      for (const verdict of ["die-before", "die-after"] as const) {
        const world = await setUp();
        const { federation, proposalId } = world;
        let seen = 0;
        const hook: WriteHook = (name) => {
          names.add(name);
          return seen++ === index ? verdict : "go";
        };
        federation.hook = hook;
        await world.desk.agree(proposalId, "bob").catch(() => {});
        isReached &&= seen > index;
        federation.hook = () => "go";
        await federation.restart();
        const desk = await openDesk(federation);
        const fault = `${verdict} of write ${index}`;
        if (present(desk.book.get("proposal", proposalId), fault).end === null)
          must(await desk.agree(proposalId, "bob"));
        expect([fault, await inventory(world, desk)]).toEqual([fault, AFTER]);
        expect([fault, (await log(world)).slice(-2)]).toEqual([
          fault,
          [
            { type: "proposal-agreed", proposalId, act: ACT, alone: false, actor: "bob" },
            { type: "project-data-deleted", projectId: "default", taskCount: 1, runCount: 1, actor: "bob" },
          ],
        ]);
      }
    }
    expect([...names].sort()).toEqual(["appendNext", "deleteProjectData", "discard", "remove"]);
  });
});
