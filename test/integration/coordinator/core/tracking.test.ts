import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openExporter } from "#coordinator/adapters/exporter.ts";
import type { WholeRun } from "#coordinator/core/ports/tracking-store.ts";
import { present } from "#shared/kernel/assert.ts";
import { TEST_CODE } from "#test/kit/secagg-fixtures.ts";
import { Federation } from "#test/kit/worlds/federation.ts";

/* A whole federation in memory, as MLflow's clients see it. */

const PROJECT = "default";
const exporter = openExporter();
let federation: Federation;
let runId: string;
beforeAll(async () => {
  federation = await Federation.create({ devices: 5, ports: { exporter } });
  federation.connectAll();
  runId = await federation.launch(2);
  await federation.ended(runId);
  await federation.inFlight.settle();
});
afterAll(() => exporter.close());

const search = async (filter: string, orderBy: readonly string[] = []) => {
  const { tracking } = federation.coordinator;
  const experiment = await tracking.experiments.byName(PROJECT, federation.task.slug);
  if (!experiment.ok) throw new Error(experiment.error.message);
  const found = await tracking.runs.search(PROJECT, {
    ...{ filter, orderBy, maxResults: 100, pageToken: "" },
    experimentIds: [experiment.value.experimentId],
    shows: "active",
  });
  if (!found.ok) throw new Error(found.error.message);
  return found.value.items;
};
const entries = ({ tags, params }: WholeRun) =>
  new Map([...tags, ...params].map(({ key, value }) => [key, value]));

describe("runs of Chorus", () => {
  test("[L6] are found with their params; each round is a nested run and a step", async () => {
    const [run, ...others] = await search("params.rounds = '2'");
    expect(others).toEqual([]);
    const whole = present(run, "the run is found");
    expect(whole.run).toMatchObject({ runId, status: "FINISHED", isOwn: true, userId: "ada" });
    expect(whole.run.endTime).not.toBeNull();
    const facts = entries(whole);
    const { training, aggregation } = federation.task;
    expect(facts.get("training.epochs")).toBe(String(training.epochs));
    expect(facts.get("training.optimizer.learningRate")).toBe(String(training.optimizer.learningRate));
    expect(facts.get("clipNormL2")).toBe(String(aggregation.clipNormL2));
    expect(facts.get("fl.task_id")).toBe(federation.task.slug);
    expect(facts.get("fl.client_code_sha256")).toBe(TEST_CODE.shellHash);
    expect(facts.get("mlflow.source.git.commit")).toBe(TEST_CODE.commit);
    const rounds = await search(`tags.mlflow.parentRunId = '${runId}'`, ["attributes.start_time ASC"]);
    expect(rounds.map((round) => entries(round).get("fl.round"))).toEqual(["1", "2"]);
    expect(rounds.map((round) => round.run.status)).toEqual(["FINISHED", "FINISHED"]);
    const history = await federation.coordinator.tracking.runs.history(PROJECT, runId, "survivors", {
      maxResults: null,
      pageToken: "",
    });
    const view = await federation.rounds(runId);
    expect(history.ok && history.value.items.map(({ step, value }) => [step, value])).toEqual(
      view.map(({ round, survivors }) => [round, survivors]),
    );
  });

  test("[L6] are rewritten and deleted by nobody; tags may be added", async () => {
    const { runs } = federation.coordinator.tracking;
    const batch = { metrics: [], params: [], tags: [] };
    const metric = { key: "m", value: 1, timestamp: 1, step: 1 };
    expect(await runs.logBatch(PROJECT, runId, { ...batch, metrics: [metric] })).toMatchObject({
      error: { code: "FORBIDDEN" },
    });
    expect(await runs.setDeleted(PROJECT, runId, true)).toMatchObject({ error: { code: "FORBIDDEN" } });
    expect(await runs.update(PROJECT, runId, { status: "FAILED" })).toMatchObject({
      error: { code: "FORBIDDEN" },
    });
    expect(await runs.logBatch(PROJECT, runId, { ...batch, tags: [{ key: "note", value: "n" }] })).toEqual({
      ok: true,
      value: undefined,
    });
    expect(await search("tags.note = 'n'")).toHaveLength(1);
    const { experiments } = federation.coordinator.tracking;
    const experimentId = present((await search(""))[0], "a run").run.experimentId;
    expect(await experiments.setDeleted(PROJECT, experimentId, true)).toMatchObject({
      error: { code: "STATE" },
    });
  });

  test("[L6] keep their lineage: no tag that Chorus writes is set, changed or removed", async () => {
    const { runs } = federation.coordinator.tracking;
    const [round] = await search(`tags.mlflow.parentRunId = '${runId}'`);
    const roundId = present(round, "a round").run.runId;
    const forbidden = { error: { code: "FORBIDDEN" } };
    const before = await runs.get(PROJECT, roundId);
    for (const key of [
      ...["fl.model_sha256", "fl.outcome", "fl.forged", "mlflow.parentRunId"],
      ...["mlflow.user", "mlflow.source.name", "mlflow.runName"],
    ]) {
      const tags = [
        { key: "fine", value: "f" },
        { key, value: "forged" },
      ];
      expect([key, await runs.logBatch(PROJECT, roundId, { metrics: [], params: [], tags })]).toMatchObject([
        key,
        forbidden,
      ]);
      expect([key, await runs.deleteTag(PROJECT, roundId, key)]).toMatchObject([key, forbidden]);
    }
    expect(await runs.get(PROJECT, roundId)).toEqual(before);
    const tags = [{ key: "mine", value: "1" }];
    expect(await runs.logBatch(PROJECT, roundId, { metrics: [], params: [], tags })).toMatchObject({
      ok: true,
    });
    expect(await runs.deleteTag(PROJECT, roundId, "mine")).toMatchObject({ ok: true });
  });

  test("[L6] has the newest model as MLflow keeps one, and its weights, as files", async () => {
    const { artifacts } = federation.coordinator.tracking;
    const { experimentId } = present((await search("params.rounds = '2'"))[0], "the run").run;
    const root = `${experimentId}/${runId}/artifacts`;
    const listed = await artifacts.list(PROJECT, root);
    expect(listed.map(({ path }) => path).sort()).toEqual(["model", "rounds", "weights"]);
    expect((await artifacts.list(PROJECT, `${root}/model`)).map(({ path }) => path)).toContain("MLmodel");
    const put = await artifacts.put(PROJECT, `${root}/model/MLmodel`, (async function* () {})(), 0);
    expect(put).toMatchObject({ error: { code: "FORBIDDEN" } });
    expect(await artifacts.list("another", root)).toEqual([]);
  });

  test("[L6] the record of each round is a file of its run, as the API has it", async () => {
    const { tracking, rounds } = federation.coordinator;
    const { experimentId } = present((await search("params.rounds = '2'"))[0], "the run").run;
    const root = `${experimentId}/${runId}/artifacts`;
    const files = ["00001.json", "00002.json"].map((path) => ({ path, isFolder: false, byteCount: null }));
    expect(await tracking.artifacts.list(PROJECT, `${root}/rounds`)).toEqual(files);
    expect(await tracking.artifacts.list(PROJECT, `${root}/rounds/00001.json`)).toEqual([]);
    const [, second] = await federation.rounds(runId);
    const opened = await tracking.artifacts.open(PROJECT, `${root}/rounds/00002.json`);
    if (!opened.ok) throw new Error(opened.error.message);
    const bytes = await new Response(opened.value.stream).bytes();
    expect(bytes.length).toBe(opened.value.byteCount);
    expect(JSON.parse(new TextDecoder().decode(bytes))).toEqual(
      JSON.parse(JSON.stringify(await rounds.roundDetail(present(second, "a round").roundId))),
    );
    for (const name of ["", "00000.json", "00003.json", "2.json", "000002.json", "00002", "__proto__", "a/b"])
      expect([name, await tracking.artifacts.open(PROJECT, `${root}/rounds/${name}`)]).toMatchObject([
        name,
        { error: { code: "NOT_FOUND" } },
      ]);
    expect(await tracking.artifacts.open("another", `${root}/rounds/00002.json`)).toMatchObject({
      error: { code: "NOT_FOUND" },
    });
    const [round] = await search(`tags.mlflow.parentRunId = '${runId}'`);
    const ofRound = `${experimentId}/${present(round, "a round").run.runId}/artifacts`;
    expect(await tracking.artifacts.list(PROJECT, `${ofRound}/rounds`)).toEqual([]);
  });
});

describe("the model of a task", () => {
  test("[L7] has a version for each committed round; only Chorus makes, renames or deletes them", async () => {
    const { models, versions } = federation.coordinator.tracking;
    const { slug } = federation.task;
    const model = await models.get(PROJECT, slug);
    expect(model).toMatchObject({ value: { name: slug, lastVersion: 2, isOwn: true } });
    expect((await versions.ofModel(PROJECT, slug)).map(({ version }) => version)).toEqual(["2", "1"]);
    const task = present(await federation.coordinator.tasks.taskView(slug), "the task");
    const hashes = (await versions.ofModel(PROJECT, slug)).map(
      ({ tags }) => tags.find(({ key }) => key === "fl.schema_hash")?.value,
    );
    expect(hashes).toEqual([task.taskHash, task.taskHash]);
    expect(await models.get("another", slug)).toMatchObject({ error: { code: "NOT_FOUND" } });
    const asked = {
      name: slug,
      source: "s3://a/b",
      runId: "",
      runLink: "",
      description: "",
      modelId: "",
      tags: [],
    };
    const state = { error: { code: "STATE" } };
    expect(await versions.create(PROJECT, { ...asked, userId: "ada" })).toMatchObject(state);
    expect(await versions.remove(PROJECT, slug, "1")).toMatchObject(state);
    expect(await models.rename(PROJECT, slug, "mine")).toMatchObject(state);
    expect(await models.remove(PROJECT, slug)).toMatchObject(state);
    expect(await models.create(PROJECT, { name: slug, description: "", tags: [] })).toMatchObject({
      error: { code: "CONFLICT" },
    });
    const stage = { stage: "Production", archivesOthers: false } as const;
    expect(await versions.setStage(PROJECT, slug, "1", stage)).toMatchObject(state);
    const noted = await versions.note(PROJECT, slug, "2", {
      type: "set-tag",
      tag: { key: "seen", value: "yes" },
    });
    expect(noted).toMatchObject({ value: { tags: expect.arrayContaining([{ key: "seen", value: "yes" }]) } });
  });

  test("[L7] aliases are those of the task's registry, and move there", async () => {
    const { models, versions } = federation.coordinator.tracking;
    const { registry } = federation.coordinator;
    const { slug } = federation.task;
    const mover = { actor: "ada", mayNameOwn: true };
    const set = (alias: string, version: string) =>
      models.setAlias(PROJECT, slug, { alias, version, ...mover });
    expect(await set("challenger", "1")).toEqual({ ok: true, value: undefined });
    expect(await set("challenger", "1")).toEqual({ ok: true, value: undefined });
    expect((await registry.modelByAlias(slug, "challenger"))?.version).toBe(1);
    expect(await set("favourite", "1")).toMatchObject({ error: { code: "STATE" } });
    expect(await set("previous", "1")).toMatchObject({ error: { code: "STATE" } });
    const removed = await models.deleteAlias(PROJECT, slug, { alias: "challenger", ...mover });
    expect(removed).toEqual({ ok: true, value: undefined });
    expect(await versions.byAlias(PROJECT, slug, "challenger")).toMatchObject({
      error: { code: "BAD_REQUEST" },
    });
  });

  test("[L7] notes are kept alone, and never say what Chorus says", async () => {
    const { models, versions } = federation.coordinator.tracking;
    const { store } = federation.ports;
    const { slug } = federation.task;
    const own = await versions.get(PROJECT, slug, "1");
    if (!own.ok) throw new Error(own.error.message);
    const tag = { key: "reviewed", value: "yes" };
    const forbidden = { error: { code: "FORBIDDEN" } };
    for (const key of ["fl.model_sha256", "fl.measure.accuracy", "fl.forged", "mlflow.source.name"]) {
      const forged = { type: "set-tag", tag: { key, value: "0" } } as const;
      expect([key, await versions.note(PROJECT, slug, "1", forged)]).toMatchObject([key, forbidden]);
      expect(await versions.note(PROJECT, slug, "1", { type: "delete-tag", key })).toMatchObject(forbidden);
      expect(await models.note(PROJECT, slug, forged)).toMatchObject(forbidden);
      expect(await models.note(PROJECT, slug, { type: "delete-tag", key })).toMatchObject(forbidden);
    }
    const described = { type: "describe", description: "ours" } as const;
    await versions.note(PROJECT, slug, "1", described);
    const noted = await versions.note(PROJECT, slug, "1", { type: "set-tag", tag });
    expect(noted).toMatchObject({ value: { description: "ours", tags: [...own.value.tags, tag] } });
    expect(await store.listDocuments(PROJECT, "model-version", slug)).toEqual([]);
    expect(await store.findDocument(PROJECT, "version-note", `${slug}/1`)).toMatchObject({
      body: { description: "ours", tags: [tag] },
    });
    await models.note(PROJECT, slug, { type: "set-tag", tag });
    expect(await models.get(PROJECT, slug)).toMatchObject({
      value: { tags: [{ key: "fl.task_id", value: slug }, tag] },
    });
    // A note of whatever origin does not win over what Chorus says.
    const forged = { description: "", tags: [{ key: "fl.round", value: "9" }], updatedAt: 0 };
    await store.putDocument(PROJECT, "version-note", { id: `${slug}/1`, name: slug, body: forged });
    expect(await versions.get(PROJECT, slug, "1")).toEqual({ ok: true, value: own.value });
    const found = (await versions.ofModel(PROJECT, slug)).find(({ version }) => version === "1");
    expect(found).toEqual(own.value);
  });

  test("[L7] notes that an earlier program kept in copies are carried over, without what Chorus said then", async () => {
    const { models, versions } = federation.coordinator.tracking;
    const { store } = federation.ports;
    const { slug } = federation.task;
    const kept = [
      ["version-note", await store.findDocument(PROJECT, "version-note", `${slug}/2`)],
      ["model-note", await store.findDocument(PROJECT, "model-note", slug)],
    ] as const;
    await store.removeDocument(PROJECT, "version-note", `${slug}/2`);
    const [model, version] = [await models.get(PROJECT, slug), await versions.get(PROJECT, slug, "2")];
    if (!model.ok || !version.ok) throw new Error("both are there");
    const noted = { key: "ward", value: "north" };
    const said = { key: "fl.accuracy", value: "0.1" };
    const tags = [...version.value.tags, said, noted];
    const copy = { ...version.value, description: "of the pilot", tags };
    await store.putDocument(PROJECT, "model-version", { id: `${slug}/2`, name: slug, body: copy });
    const carried = { description: "of the pilot", tags: [...version.value.tags, noted] };
    expect(await versions.get(PROJECT, slug, "2")).toMatchObject({ value: carried });
    const listed = (await versions.ofModel(PROJECT, slug)).find((one) => one.version === "2");
    expect(listed).toMatchObject(carried);
    // The next note takes its place, with all of it.
    const more = { key: "more", value: "1" };
    await versions.note(PROJECT, slug, "2", { type: "set-tag", tag: more });
    await store.removeDocument(PROJECT, "model-version", `${slug}/2`);
    expect(await versions.get(PROJECT, slug, "2")).toMatchObject({
      value: { ...carried, tags: [...version.value.tags, noted, more] },
    });
    const ofModel = { ...model.value, description: "as ever", tags: [...model.value.tags, noted] };
    await store.removeDocument(PROJECT, "model-note", slug);
    await store.putDocument(PROJECT, "registered-model", { id: slug, name: slug, body: ofModel });
    expect(await models.get(PROJECT, slug)).toMatchObject({ value: { description: "as ever" } });
    expect(await models.all(PROJECT)).toEqual([expect.objectContaining({ description: "as ever" })]);
    // What Chorus said of the task then, before its words changed.
    const said0 = { ...ofModel, description: `The task ${slug}: words of before` };
    await store.putDocument(PROJECT, "registered-model", { id: slug, name: slug, body: said0 });
    const { description } = model.value;
    expect(await models.get(PROJECT, slug)).toMatchObject({ value: { description } });
    expect(await models.all(PROJECT)).toEqual([expect.objectContaining({ description })]);
    await store.removeDocument(PROJECT, "registered-model", slug);
    await store.removeDocument(PROJECT, "version-note", `${slug}/2`);
    for (const [kind, document] of kept)
      if (document !== null) await store.putDocument(PROJECT, kind, document);
  });

  test("[L7] of a model that somebody registered by its name before, nothing is seen", async () => {
    const { models, versions } = federation.coordinator.tracking;
    const { store } = federation.ports;
    const { slug } = federation.task;
    const { ok: isOk, ...before } = await models.get(PROJECT, slug);
    expect(isOk).toBe(true);
    const tags = [{ key: "stranger", value: "1" }];
    const earlier = {
      ...{ name: slug, description: "a stranger's", createdAt: 1, updatedAt: Number.MAX_SAFE_INTEGER, tags },
    };
    const model = { ...earlier, aliases: [{ key: "best", value: "7" }], lastVersion: 7, isOwn: false };
    await store.putDocument(PROJECT, "registered-model", { id: slug, name: slug, body: model });
    for (const version of ["1", "7"]) {
      const storage = "mlflow-artifacts:/0/stranger";
      const body = {
        ...{ ...earlier, version, userId: "eve", stage: "Production", source: storage, storage },
        ...{ runId: "", runLink: "", modelId: "" },
      };
      await store.putDocument(PROJECT, "model-version", { id: `${slug}/${version}`, name: slug, body });
    }
    expect(await models.get(PROJECT, slug)).toEqual({ ok: true, ...before });
    expect(await models.all(PROJECT)).toEqual([expect.objectContaining({ name: slug, isOwn: true })]);
    expect(await versions.get(PROJECT, slug, "7")).toMatchObject({ error: { code: "NOT_FOUND" } });
    const listed = await versions.ofModel(PROJECT, slug);
    expect(listed.map(({ version, userId, stage }) => [version, userId, stage])).toEqual([
      ["2", "coordinator", "None"],
      ["1", "coordinator", "None"],
    ]);
    const asked = { type: "set-tag", tag: { key: "t", value: "1" } } as const;
    expect(await versions.note(PROJECT, slug, "7", asked)).toMatchObject({ error: { code: "NOT_FOUND" } });
    expect(await versions.remove(PROJECT, slug, "7")).toMatchObject({ error: { code: "STATE" } });
  });
});
