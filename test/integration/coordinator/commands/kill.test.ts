import { cpSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { bundledTask } from "#coordinator/data/tasks.ts";
import { modelFromBytes } from "#shared/codec/model-bytes.ts";
import type { Phase, RoundDetail } from "#shared/protocol/api.ts";
import { modelTensors } from "#shared/task/model.ts";
import type { Task } from "#shared/task/task.ts";
import { layoutOf } from "#shared/vector/task-layout.ts";
import { heldOutPath } from "#test/kit/earlier-held-out.ts";
import { type HeldStep, openTestDevice, type TestDevice } from "../../../kit/devices/device.ts";
import {
  type CoordinatorProcess,
  openApi,
  spawnCoordinator,
  until,
} from "../../../kit/worlds/coordinator-process.ts";

/*
 * The coordinator is killed in each phase of a round and restarted on the same state, with real devices (except for
 * their training) that stay alive. The round must continue or start over, and its sum must be that of the survivors'
 * own lists, each counted once.
 */

const COUNT = 5;
const root = new URL("../../../..", import.meta.url).pathname;
const scratch = mkdtempSync(join(tmpdir(), "chorus-kill-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** The step, held back by this many devices, that keeps a round in a phase. With five devices t is 4. */
const HOLDS: Readonly<
  Record<Exclude<Phase, "committed" | "voided" | "failed">, readonly [HeldStep, number]>
> = {
  recruiting: ["check-in", 1],
  training: ["train", COUNT],
  advertising: ["advertise", 1],
  sharing: ["share", 1],
  collecting: ["input", 1],
  confirming: ["confirm", 2],
  unmasking: ["unmask", 2],
};

function testTask(): Task {
  const task = bundledTask("digits", COUNT, 1);
  const long = {
    ...task.aggregation.deadlines,
    recruitingMs: 60_000,
    trainingMs: 60_000,
    collectingMs: 60_000,
  };
  return { ...task, aggregation: { ...task.aggregation, deadlines: long } };
}

describe("a coordinator that is killed", () => {
  test.concurrent.each(
    Object.entries(HOLDS).map(([phase, [step, count]], index) => ({ phase, step, count, index })),
  )(
    "[R19] in $phase and started again: no input lost, none counted twice",
    async ({ phase, step, count, index }) => {
      const dataDir = join(scratch, phase);
      const port = 4_610 + index;
      const task = testTask();
      mkdirSync(join(heldOutPath(dataDir, task.slug, task.version), ".."), { recursive: true });
      cpSync(join(root, "coordinator/data/digits.csv"), heldOutPath(dataDir, task.slug, task.version));
      let coordinator: CoordinatorProcess | null = await spawnCoordinator({ port, dataDir });
      const devices: TestDevice[] = [];
      try {
        const api = openApi(coordinator.url);
        await api.createTask(task);
        for (let seed = 1; seed <= COUNT; seed++)
          devices.push(await openTestDevice(coordinator.url, task, seed));
        for (const device of devices.slice(0, count)) device.hold(step);
        const { runId } = await api.launch({ task: task.slug, rounds: 2, seed: 7 });
        for (const device of devices) device.enrolment.start();
        await until(`round 1 in ${phase}`, 60_000, async () => (await api.rounds(runId))[0]?.phase === phase);
        // Work in progress when the phase began gets time to be acknowledged, so that there is something to lose.
        await until("acknowledged steps", 60_000, async () =>
          acknowledged(phase, (await api.rounds(runId))[0]?.sent ?? 0),
        );

        await coordinator.kill();
        coordinator = await spawnCoordinator({ port, dataDir });
        for (const device of devices) device.release();
        await until("the end of the run", 120_000, async () => (await api.run(runId)).state === "completed");

        const rounds = await api.rounds(runId);
        const committed = rounds.filter((round) => round.phase === "committed");
        expect(committed).toHaveLength(2);
        for (const { roundId } of committed)
          await expectExactSum(api, await api.round(roundId), task, devices);
        if (phase === "collecting" || phase === "confirming" || phase === "unmasking") {
          // These rounds continued where they were: nobody had to send an input twice.
          expect(rounds[0]).toMatchObject({ phase: "committed", attempt: 1 });
        }
        expect(await coordinator.stop()).toBe(0);
      } finally {
        await Promise.all(devices.map((device) => device.close()));
        await coordinator?.kill();
      }
    },
  );
});

/** With one input held back, four are in; every other phase has nothing to wait for. */
function acknowledged(phase: string, sent: number): boolean {
  return phase === "collecting" ? sent === COUNT - 1 : true;
}

/**
 * Checks the published integer sum, slot by slot, and the next model against the survivors' weighted mean. Rule S2.
 */
async function expectExactSum(
  api: ReturnType<typeof openApi>,
  round: RoundDetail,
  task: Task,
  devices: readonly TestDevice[],
): Promise<void> {
  // The run ends a moment before its last outcome has reached every device.
  const lists = await until(`${round.survivors} devices that know of their part`, 60_000, async () => {
    const committed = devices.flatMap(({ contributions }) =>
      [...contributions.values()].filter(
        ({ detail }) => detail.sid === round.sid && detail.outcome?.kind === "committed",
      ),
    );
    return committed.length === round.survivors ? committed : null;
  }).catch((error: Error) => {
    const views = devices.map(({ enrolment }) => enrolment.view.get());
    const told = views.map(({ activity, connection, round: part, refusal }) => ({
      activity,
      connection,
      part,
      refusal,
    }));
    throw new Error(`${error.message}: round ${round.round}, ${JSON.stringify(told)}`);
  });
  const published = asInts(await api.sum(round.roundId));
  const segments = layoutOf(task, "train", null).segments.filter(({ publish }) => publish === "public");
  let at = 0;
  for (const { offset, length } of segments) {
    for (let slot = 0; slot < length; slot++) {
      let sum = 0;
      for (const { own } of lists) sum = (sum + (asInts(own as Uint8Array)[offset + slot] as number)) | 0;
      if (published[at] !== sum) throw new Error(`slot ${offset + slot}: ${published[at]} is not ${sum}`);
      at += 1;
    }
  }
  expect(published).toHaveLength(at);

  const weights = async (hash: string) => {
    const read = modelFromBytes(modelTensors(task.model), (await api.model(hash)) as Uint8Array<ArrayBuffer>);
    if (!read.ok) throw new Error("not a model");
    return read.value;
  };
  const before = await weights(round.parentModelHash);
  const after = await weights(round.modelHash as string);
  const weightSum = lists.reduce((sum, { weight }) => sum + (weight as number), 0);
  expect(round.weightSum).toBe(weightSum);
  for (let index = 0; index < before.length; index++) {
    let mean = 0;
    for (const { clippedUpdate, weight } of lists) {
      mean += ((clippedUpdate as Float32Array)[index] as number) * ((weight as number) / weightSum);
    }
    expect(Math.abs((after[index] as number) - (before[index] as number) - mean)).toBeLessThan(1e-5);
  }
}

function asInts(bytes: Uint8Array): Int32Array {
  const copy = new Uint8Array(bytes);
  return new Int32Array(copy.buffer);
}
