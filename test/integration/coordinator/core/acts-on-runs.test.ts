import { expect, test } from "vitest";
import { Federation } from "#test/kit/worlds/federation.ts";

test("[A11] [V8] launching, pausing, resuming and stopping are events of their actor, with leaves that name nobody", async () => {
  const federation = await Federation.create({ devices: 4 });
  federation.connectAll();
  const runId = await federation.launch(3);
  const { runs } = federation.coordinator;
  await federation.until(async () => (await federation.run(runId)).state === "running", "the start");
  expect((await runs.pause(runId, "ada")).ok).toBe(true);
  await federation.until(async () => (await federation.run(runId)).state === "paused", "the pause");
  expect((await runs.resume(runId, "bob")).ok).toBe(true);
  expect((await runs.stopRun(runId, "cyd")).ok).toBe(true);
  await federation.ended(runId);
  expect(await federation.run(runId)).toMatchObject({ code: "ABORTED_BY_OPERATOR", endedBy: "cyd" });
  const acts = federation.db.log.flatMap(({ stream, body }) => {
    const { fact } = JSON.parse(body) as { fact: { type: string; actor?: string } };
    return stream.kind === "run" && fact.actor !== undefined ? [`${fact.type} ${fact.actor}`] : [];
  });
  expect(acts).toEqual(["launched ada", "pause-asked ada", "resume-asked bob", "stop-asked cyd"]);
  const leaves = federation.db.leaves.filter(({ kind }) => kind.startsWith("run."));
  expect(leaves.map(({ kind }) => kind)).toEqual([
    "run.launched",
    "run.pauseAsked",
    "run.resumeAsked",
    "run.stopAsked",
  ]);
  expect(JSON.stringify(leaves)).not.toMatch(/ada|bob|cyd/);
  expect(leaves[0]?.body).toMatchObject({ runId, task: "small", taskVersion: 1 });
});
