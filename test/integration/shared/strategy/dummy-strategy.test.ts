import { cp } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { selectPrimitives } from "#shared/crypto/primitives-webcrypto.ts";
import { present } from "#shared/kernel/assert.ts";
import { type Planted, plant } from "#test/kit/planted.ts";
import { seededRandom } from "#test/kit/secagg-fixtures.ts";
import type * as federations from "#test/kit/worlds/federation.ts";
import type * as keptRounds from "#test/kit/worlds/kept-round.ts";

/* A strategy that the product does not have, added to a copy of it as one file and one entry of the list. */

const FOLDER = "shared/strategy";
const HALVES = { kind: "halves", serverLearningRate: 0.5, needs: "metrics" };
const auditorKey = seededRandom("auditor")(32);
const primitives = await selectPrimitives(globalThis.crypto.subtle);
const keeping = { rounds: 1, auditorKey: await primitives.x25519PublicKey(auditorKey) };

let planted: Planted;
let Federation: typeof federations.Federation;
let kit: typeof keptRounds;
let strategies: typeof import("#shared/strategy/index.ts");

beforeAll(async () => {
  planted = await plant(
    [
      { file: `${FOLDER}/list.ts`, find: "fedAvgM, fedAdam]", replace: "fedAvgM, fedAdam, halves]" },
      {
        file: `${FOLDER}/list.ts`,
        find: 'import { fedAvgM } from "./fedavgm.ts";',
        replace: 'import { fedAvgM } from "./fedavgm.ts"; import { halves } from "./halves.ts";',
      },
    ],
    ["test/kit"],
  );
  const own = fileURLToPath(new URL("../../../kit/dummies/halves.ts", import.meta.url));
  await cp(own, join(planted.folder, FOLDER, "halves.ts"));
  ({ Federation } = await planted.load<typeof federations>("test/kit/worlds/federation.ts"));
  kit = await planted.load("test/kit/worlds/kept-round.ts");
  strategies = await planted.load(`${FOLDER}/index.ts`);
}, 60_000);
afterAll(() => planted.remove());

describe("a dummy strategy", () => {
  test("[A6] is in the task's schema with its defaults, makes the models of a run, and verifies", async () => {
    const { strategySchema, STRATEGY_TITLES } = strategies;
    expect(strategySchema.parse({ kind: "halves" })).toEqual(HALVES);
    expect(Object.values(STRATEGY_TITLES)).toEqual(["FedAvg", "FedAvgM", "FedAdam", "Halves"]);
    const federation = await Federation.create({
      devices: 4,
      keeping,
      task: { strategy: HALVES as never },
    });
    federation.connectAll();
    const runId = await federation.launch(1);
    await federation.ended(runId);
    await federation.inFlight.settle();
    const detail = present((await federation.rounds(runId))[0], "a round");
    const kept = await kit.keptRound(federation, detail);
    expect(kept.transcript.roundParams.training.epochs).toBe(1);
    expect(kept.claims.strategy).toEqual(HALVES);
    expect((await kit.verdictOn(primitives, kept, auditorKey)).verdict).toBe("holds");
    // Half of the mean's step.
    const [before, after] = [detail.parentModelHash, present(detail.modelHash, "a model")];
    const parts = federation.devices.map(({ parts: own }) => present(own[0], "a part"));
    const total = parts.reduce((sum, part) => sum + part.weight, 0);
    expect(detail.weightSum).toBe(total);
    for (const [index, weightAfter] of federation.weights(after).entries()) {
      const mean =
        parts.reduce((sum, part) => sum + (part.clippedUpdate[index] as number) * part.weight, 0) / total;
      expect(weightAfter - (federation.weights(before)[index] as number)).toBeCloseTo(mean / 2, 4);
    }
  });

  test("that needs a segment missing from the task's vector is not launched", async () => {
    const federation = await Federation.create({ devices: 3 });
    const strategy = { ...HALVES, needs: "variate" } as never;
    const launched = await federation.coordinator.runs.launch(
      {
        task: "small",
        rounds: 1,
        strategy,
      },
      "ada",
    );
    expect(launched.ok ? null : [launched.error.code, launched.error.message]).toEqual([
      "BAD_REQUEST",
      expect.stringContaining("needs variate"),
    ]);
  });
});
