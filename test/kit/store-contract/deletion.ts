import { expect, test } from "vitest";
import { ALL_READABLE, type Store, type StoreRecord } from "#coordinator/core/ports/store.ts";
import { positionNo } from "../places.ts";
import {
  createTask,
  event,
  newHash,
  newRoundId,
  newRunId,
  newSlug,
  type Opened,
  runRecord,
  task,
  viewLike,
  withLeaves,
} from "./rows.ts";

/** Everything that a project leaves behind, as its rounds write it. */
async function fill(store: Store, projectId: string, shared: { model: string; state: string; sum: string }) {
  const [slug, runId, roundId] = [newSlug(), newRunId(), newRoundId()];
  const [sid, keptSid] = [newHash(), newHash()];
  const [model, state, sum, report, tokenId, identity] = Array.from({ length: 6 }, () => newHash());
  const own = {
    slug,
    runId,
    roundId,
    sid,
    keptSid,
    model: model ?? "",
    tokenId: tokenId ?? "",
    identity: identity ?? "",
  };
  const write = async (kind: "run" | "round", id: string, sequence: number, records: StoreRecord[]) => {
    const fact = { type: "evaluated", reportHash: sequence === 2 ? report : null };
    const written = await store.append({ kind, id }, [
      { event: event(sequence, { fact }), records: withLeaves(records) },
    ]);
    expect(written.ok).toBe(true);
  };
  const version = (round: number, modelHash: string, strategyStateHash: string | null): StoreRecord => ({
    type: "model-version",
    version: { runId, round, modelHash, parentHash: null, strategyStateHash, metrics: null },
    ...(round > 0 && { numberedIn: slug }),
  });
  const note: StoreRecord = { type: "note", note: viewLike({ kind: "x", details: {} }) };
  const round = (id: string, number: number, sumHash: string): StoreRecord => ({
    type: "round-row",
    roundId: id,
    row: { runId, round: number, phase: "committed", view: viewLike({ view: {}, detail: { sumHash } }) },
  });
  await createTask(store, task(slug, 1), { project: projectId });
  await createTask(store, task(slug, 2), { project: projectId });
  await store.appendNext({ kind: "project", id: projectId }, { at: 1, event: {} }, [
    ...withLeaves([{ type: "task-settings", slug, changes: { joining: "invitation" } }]),
  ]);
  await write("run", runId, 1, [
    runRecord(runId, { task: slug, projectId }),
    { type: "model-offered", modelHash: shared.model, runId },
    version(0, shared.model, shared.state),
    note,
  ]);
  await write("run", runId, 2, [
    { type: "model-offered", modelHash: own.model, runId },
    { type: "audit-leaf", kind: "run.stopAsked", body: { version: 1, runId }, actor: "ada" },
  ]);
  await write("round", roundId, 1, [
    round(roundId, 1, sum ?? ""),
    version(1, own.model, state ?? ""),
    { type: "open-slots", sid, byteCount: 4, slots: [{ position: positionNo(1), slotHash: newHash() }] },
    note,
  ]);
  await store.appendNext({ kind: "registry", id: slug }, { at: 1, event: {} }, [
    ...withLeaves([
      { type: "model-alias", task: slug, alias: "champion", row: { number: 1, movedAt: 1, movedBy: "ada" } },
    ]),
  ]);
  const input = {
    sid,
    position: positionNo(1),
    sha256: newHash(),
    root: newHash(),
    signature: "",
    byteCount: 4,
  };
  await write("round", roundId, 2, [
    { type: "input", input },
    { type: "material", sid, step: "share", position: positionNo(1), bytes: Uint8Array.of(1) },
    { type: "audit-leaf", kind: "round.opened", body: { sid } },
  ]);
  const second = newRoundId();
  await write("round", second, 1, [round(second, 2, shared.sum)]);
  await store.saveTranscript({ sid, roundId, task: slug, shard: 0, bytes: Uint8Array.of(2) });
  await store.saveTranscript({
    sid: keptSid,
    roundId: second,
    task: slug,
    shard: 0,
    bytes: Uint8Array.of(4),
  });
  await store.keepOpenings(keptSid, new Map([[positionNo(1), Uint8Array.of(5)]]));
  await store.saveEvidence(sid, { salt: new Uint8Array(32), words: Uint8Array.of(3) });
  await store.enrol(own.tokenId, 5, {
    ...{ identity: own.identity, projectId, task: null, siteId: null, enrolledAt: 1 },
  });
  const token = { type: "access-row", kind: "join-token", id: own.tokenId, body: { projectId } } as const;
  const site = { type: "access-row", kind: "site", id: own.tokenId, body: { projectId } } as const;
  await store.appendNext({ kind: "access", id: "coordinator" }, { at: 1, event: { projectId } }, [
    ...withLeaves([token, site]),
  ]);
  return { ...own, blobs: [own.model, state, sum, report].sort() };
}

/** What of it is still there, by name. */
async function remaining(store: Store, projectId: string, made: Awaited<ReturnType<typeof fill>>) {
  const { slug, runId, roundId, sid, keptSid, model, tokenId, identity } = made;
  const rows = (await store.listAccessRows()).filter(({ id }) => id === tokenId);
  const acts = await store.leavesBefore({ before: 2 ** 31 - 1, countMax: 50, kind: "run.stopAsked" });
  return {
    actor: acts.find(({ body }) => body["runId"] === runId)?.actor ?? null,
    task: (await store.findTask(slug)) !== null,
    versions: (await store.listModelVersions(runId)).length,
    numbers: (await store.modelNumbers(runId)).size,
    models: (await store.listModels(slug, { limit: 9 })).items.length,
    aliases: (await store.listAliases(slug)).length,
    registryEvents: (await store.readStream({ kind: "registry", id: slug })).length,
    run: (await store.findRun(runId)) !== null,
    listed: (await store.listRuns({ ...ALL_READABLE, task: slug }, { limit: 9 })).items.length,
    round: (await store.findRound(roundId)) !== null,
    slot: (await store.findSlot(sid, positionNo(1))) !== null,
    inputs: (await store.listInputs(sid)).length,
    material: (await store.loadMaterial(sid, "share")).size,
    transcript: await store.findTranscript(roundId, 0),
    openings: (await store.loadOpenings(keptSid)).size,
    evidence: (await store.loadEvidence(sid)) !== null,
    notes: (await store.listNotes(runId, { limit: 9 })).items.length,
    runEvents: (await store.readStream({ kind: "run", id: runId })).length,
    roundEvents: (await store.readStream({ kind: "round", id: roundId })).length,
    projectEvents: (await store.readStream({ kind: "project", id: projectId })).length,
    enrolments: (await store.findEnrolments(identity)).length,
    joins: (await store.countJoins()).get(tokenId) ?? 0,
    joinToken: rows.some(({ kind }) => kind === "join-token"),
    site: rows.some(({ kind }) => kind === "site"),
    places: (await store.findPlaces({ type: "model", id: model })).length,
  };
}

export function deletionContract(opened: Opened<Store>): void {
  test("[X8] a project's data goes as a whole, and nothing of another project or of the audit log", async () => {
    const { store } = opened;
    const shared = { model: newHash(), state: newHash(), sum: newHash() };
    const [gone, kept] = [`gone-${newRunId().slice(-6)}`, `kept-${newRunId().slice(-6)}`];
    const [ofGone, ofKept] = [await fill(store, gone, shared), await fill(store, kept, shared)];
    const before = await remaining(store, kept, ofKept);
    // Everything that the deletion must remove is there.
    expect(await remaining(store, gone, ofGone)).toEqual({ ...before, transcript: ofGone.sid });
    expect(Object.values(before).every(Boolean)).toBe(true);
    const access = { kind: "access", id: "coordinator" } as const;
    const [leaves, log] = [await store.auditLeaves({ limit: 200 }), await store.readStream(access)];

    expect(await store.findProjectData(gone)).toEqual({
      ...{ taskCount: 1, runCount: 1, roundCount: 2 },
      sids: expect.arrayContaining([ofGone.sid, ofGone.keptSid]),
      slugs: [ofGone.slug],
      blobHashes: ofGone.blobs,
    });
    // Looking for it deletes nothing.
    expect(await remaining(store, gone, ofGone)).toEqual({ ...before, transcript: ofGone.sid });
    await store.deleteProjectData(gone);
    const after = await remaining(store, gone, ofGone);
    expect(after.site).toBe(true);
    for (const [name, value] of Object.entries(after)) if (name !== "site") expect(value, name).toBeFalsy();
    expect(await remaining(store, kept, ofKept)).toEqual(before);
    expect(await store.auditLeaves({ limit: 200 })).toEqual(leaves);
    expect(await store.readStream(access)).toEqual(log);
    // A model stays offered: whether a sum was opened for it must be known forever.
    expect(await store.findOffer(ofGone.model)).not.toBeNull();

    // A second time there is nothing left to delete.
    await store.deleteProjectData(gone);
    expect(await store.findProjectData(gone)).toEqual({
      ...{ taskCount: 0, runCount: 0, roundCount: 0, sids: [], slugs: [], blobHashes: [] },
    });
    // The slug is free again; nothing of the earlier task comes back with it.
    expect((await createTask(store, task(ofGone.slug, 1), { project: kept })).ok).toBe(true);
    expect(await store.findTask(ofGone.slug)).toMatchObject({
      ...{ projectId: kept, newest: null, settings: { joining: "public" } },
    });
    // Its models count from 1 again.
    const runId = newRunId();
    const modelHash = newHash();
    await store.append({ kind: "run", id: runId }, [
      {
        event: event(1),
        records: withLeaves([
          runRecord(runId, { task: ofGone.slug, projectId: kept }),
          {
            type: "model-version",
            version: {
              ...{ runId, round: 1, modelHash, parentHash: null, strategyStateHash: null, metrics: null },
            },
            numberedIn: ofGone.slug,
          },
        ]),
      },
    ]);
    expect(await store.modelNumbers(runId)).toEqual(new Map([[1, 1]]));
    // What both projects named goes with the second one.
    const last = await store.findProjectData(kept);
    expect(last.blobHashes).toEqual([...ofKept.blobs, ...Object.values(shared), modelHash].sort());
  });
}
