import { expect, test } from "vitest";
import type { Folder } from "#coordinator/core/ports/ports.ts";
import { selectPrimitives } from "#shared/crypto/primitives-webcrypto.ts";
import { present } from "#shared/kernel/assert.ts";
import { memoryFolder } from "#test/kit/fakes/memory-files.ts";
import { Federation } from "#test/kit/worlds/federation.ts";

/* Inputs that are folded while others are still on their way: which, when, and that the sum is the same. */

const DEVICES = 11;

async function watched(change: { readonly fails?: (fold: number) => boolean } = {}) {
  const inner = await selectPrimitives(globalThis.crypto.subtle);
  const own: { federation?: Federation } = {};
  const folds: { readonly paths: readonly string[]; readonly phase: string; readonly begun: boolean }[] = [];
  const folder: Folder = {
    fold: async (job) => {
      const federation = present(own.federation, "a federation");
      if (job.inputs.length > 0) {
        const [runId = ""] = federation.db.runs.keys();
        const phase = (await federation.run(runId)).currentRound?.phase ?? "none";
        const paths = job.inputs.map(({ path }) => path);
        folds.push({ paths, phase, begun: job.initial !== undefined });
        if (change.fails?.(folds.length) === true) throw new Error("no worker");
      }
      return memoryFolder(federation.disk, inner).fold(job);
    },
    close: async () => {},
  };
  const federation = await Federation.create({ devices: DEVICES, ports: { folder } });
  own.federation = federation;
  federation.connectAll();
  return { federation, folds };
}

async function committed(federation: Federation, runId: string): Promise<void> {
  await federation.ended(runId);
  const round = present((await federation.rounds(runId)).at(-1), "the round");
  expect([round.phase, round.attempt, round.survivors]).toEqual(["committed", 1, DEVICES]);
  expect(federation.distanceFromOracle(round, federation.devices)).toBeLessThanOrEqual(1);
}

test("[R7] [S2] complete inputs are added while others arrive, each once, and the sum is exact", async () => {
  const { federation, folds } = await watched();
  await committed(federation, await federation.launch(1));
  const early = folds.filter(({ phase }) => phase === "collecting");
  expect(early.length).toBeGreaterThan(0);
  expect(early.every(({ paths }) => paths.length >= 4)).toBe(true);
  const all = folds.flatMap(({ paths }) => paths);
  expect([all.length, new Set(all).size]).toEqual([DEVICES, DEVICES]);
  // Each fold continues from the sum before it.
  expect(folds.map(({ begun }) => begun)).toEqual([false, ...folds.slice(1).map(() => true)]);
});

test("[R50] an early fold that fails only costs time: all inputs are folded once the set is sealed", async () => {
  const { federation, folds } = await watched({ fails: (fold) => fold === 1 });
  await committed(federation, await federation.launch(1));
  expect(folds[0]?.phase).toBe("collecting");
  const last = present(folds.at(-1), "a fold");
  expect([new Set(last.paths).size, last.begun]).toEqual([DEVICES, false]);
});

test("[R19] a coordinator that dies in between folds all of them again", async () => {
  const { federation, folds } = await watched();
  present(federation.devices[0], "a device").goneBefore = "input";
  const runId = await federation.launch(1);
  await federation.until(() => federation.db.inputs.size === DEVICES - 1, "all but one input");
  expect(folds.length).toBeGreaterThan(0);
  federation.crash();
  present(federation.devices[0], "a device").goneBefore = null;
  const before = folds.length;
  await federation.restart();
  await federation.ended(runId);
  const round = present((await federation.rounds(runId)).at(-1), "the round");
  expect(round.phase).toBe("committed");
  const counted = federation.devices.filter(({ outcomes }) => outcomes.at(-1)?.kind === "committed");
  expect(federation.distanceFromOracle(round, counted)).toBeLessThanOrEqual(1);
  const after = folds.slice(before).flatMap(({ paths }) => paths);
  expect(new Set(after).size).toBe(round.survivors);
  expect(after).toHaveLength(round.survivors ?? 0);
});
