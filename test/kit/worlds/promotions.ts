import type { Evaluator, Judgement } from "#coordinator/core/ports/ports.ts";
import { present } from "#shared/kernel/assert.ts";
import { err, type Result } from "#shared/kernel/result.ts";
import type { HashHex, TaskSlug } from "#shared/protocol/ids.ts";
import { type RegistryEvent, registryFactOf } from "#shared/registry/log.ts";
import type { PromotionRules } from "#shared/task/gates/index.ts";
import type { Comparison } from "#shared/task/report/comparison.ts";
import { Federation, fakeEvaluator } from "./federation.ts";

/* A federation in memory whose task has gates. The test says how good its models are. */

export const GATES: PromotionRules["gates"] = [
  { kind: "cohort", devicesMin: 3 },
  { kind: "measure", name: "accuracy", threshold: 0.8 },
];

export interface PromotionWorld {
  readonly federation: Federation;
  readonly slug: TaskSlug;
  accuracy: number;
  /** Of accuracy, of any two models, ± 0.02. */
  difference: number;
  whileComparing: () => Promise<void>;
  /** How often a model was evaluated for its gates alone. */
  askedAnew: number;
}

function comparison(heldOutHash: string, difference: number): Comparison {
  const named = { name: "accuracy", label: "accuracy", unit: "share", better: "higher" } as const;
  const figures = { first: 0.9, second: 0.9 + difference, difference };
  const bounds = { low: difference - 0.02, high: difference + 0.02, p: 0.5 };
  return {
    ...{
      comparable: true,
      heldOutHash: heldOutHash as HashHex,
      rowCount: 300,
      resampling: { seed: 1, times: 1 },
    },
    measures: [
      { ...named, ...figures, ...bounds, test: "mcnemar-exact", counts: null, verdict: "too-close" },
    ],
  };
}

export async function openPromotions(promoteByItself: boolean, gates = GATES): Promise<PromotionWorld> {
  const own = fakeEvaluator();
  const measured = (judged: Judgement): Judgement => {
    const accuracy = { value: world.accuracy, halfWidth95: 0.02, count: 300 };
    return { ...judged, measures: { ...judged.measures, accuracy }, report: null };
  };
  const evaluator: Evaluator = {
    ...own,
    evaluate: async (task, bytes, rows) => measured(await own.evaluate(task, bytes, rows)),
    evaluateAside: async (model, rows) => {
      world.askedAnew += 1;
      return measured(await own.evaluateAside(model, rows));
    },
    compare: async (_first, _second, rows) => {
      await world.whileComparing();
      return comparison(rows.hash, world.difference);
    },
  };
  const federation = await Federation.create({ devices: 4, ports: { evaluator } });
  const { slug } = federation.task;
  const world: PromotionWorld = {
    ...{ federation, slug, accuracy: 0.936, difference: 0, askedAnew: 0 },
    whileComparing: async () => {},
  };
  federation.connectAll();
  const promotion = { gates: [...gates], promoteByItself };
  must(await federation.coordinator.tasks.changeTaskSettings(world.slug, { promotion }, "ada"));
  return world;
}

export function must<Value>(done: Result<Value, { readonly message: string }>): Value {
  if (!done.ok) throw new Error(done.error.message);
  return done.value;
}

export const inUse = async ({ federation, slug }: PromotionWorld) =>
  present(await federation.coordinator.tasks.taskView(slug), "the task").inUse;
export const events = ({ federation: { db } }: PromotionWorld): RegistryEvent[] =>
  db.log
    .filter(({ stream }) => stream.kind === "registry")
    .map(({ sequence, body }) => must(asFact(registryFactOf({ sequence, event: JSON.parse(body) }))));
const asFact = <Value>(fact: Result<Value, unknown>): Result<Value, { message: string }> =>
  fact.ok ? fact : err({ message: "unreadable" });
export const decided = (world: PromotionWorld, count: number) =>
  world.federation.until(async () => events(world).length === count, `${count} decisions`);
export const sentences = async ({ federation, slug }: PromotionWorld) =>
  (await federation.coordinator.tasks.taskHistory(slug))?.items.map(({ sentence }) => sentence);
