import { present } from "#shared/kernel/assert.ts";
import type { Bytes } from "#shared/kernel/bytes.ts";
import type { Evaluated } from "#shared/round/run-event.ts";
import type { Task } from "#shared/task/task.ts";
import type { ModelJob } from "./model-jobs.ts";
import { FileLost } from "./outage.ts";
import type { CoordinatorPorts } from "./ports.ts";
import type { RunTerms } from "./terms.ts";

type ModelPorts = Pick<CoordinatorPorts, "blobs" | "store" | "models">;

/** Void steps before a model that nobody was offered; each makes another model, so one is enough in practice. */
const VOID_STEPS_MAX = 8;

/** @throws FileLost; whoever needs it waits for it. */
export async function needBlob({ blobs }: Pick<ModelPorts, "blobs">, hash: string): Promise<Bytes> {
  const bytes = await blobs.get(hash);
  if (bytes === null) throw new FileLost(hash, "gone");
  return bytes;
}

/** @throws FileLost */
export async function byteCountOf({ blobs }: Pick<ModelPorts, "blobs">, hash: string): Promise<number> {
  const byteCount = await blobs.byteCount(hash);
  if (byteCount === null) throw new FileLost(hash, "gone");
  return byteCount;
}

/** The model before the first round; the same for the same seed and architecture. */
export async function putInitialModel(
  ports: Pick<CoordinatorPorts, "blobs" | "models">,
  { task }: RunTerms,
  seed: number,
): Promise<string> {
  return putMade(ports, { kind: "initial", task, seed });
}

async function putMade(ports: Pick<CoordinatorPorts, "blobs" | "models">, job: ModelJob): Promise<string> {
  const { modelBytes } = await ports.models.make(job);
  return ports.blobs.put(present(modelBytes, "a model without a sum in it is finite"));
}

/**
 * Whether models of this task can be judged at all: a run without good held-out rows would publish models that nobody
 * knows anything about. The reason is logged; it may name paths of this machine.
 */
export async function canEvaluate(
  ports: Pick<CoordinatorPorts, "evaluator" | "log">,
  task: Task,
): Promise<boolean> {
  try {
    return (await ports.evaluator.countHeldOut(task)) > 0;
  } catch (error) {
    ports.log.warn({ task: task.slug, error: String(error) }, "the held-out rows cannot be used");
    return false;
  }
}

/** The model after a void step, already stored. */
export async function putVoidStep(
  ports: ModelPorts,
  terms: RunTerms,
  modelHash: string,
  runId: string,
  round: number,
): Promise<string> {
  const modelBytes = await needBlob(ports, modelHash);
  return putMade(ports, { kind: "void-step", task: terms.task, modelBytes, runId, round });
}

/**
 * The model that a round may offer in place of `modelHash`: itself, or void steps of it until one was neither offered
 * by another run nor opened. Two sums opened for one model could be subtracted. Rule R18.
 *
 * @param isOpened  Whether devices say that a model was opened. After a restored backup only they know.
 */
export async function offerableModel(
  ports: ModelPorts,
  terms: RunTerms,
  modelHash: string,
  runId: string,
  round: number,
  isOpened: (modelHash: string) => boolean,
): Promise<string> {
  let candidate = modelHash;
  for (let steps = 0; steps <= VOID_STEPS_MAX; steps++) {
    const offer = await ports.store.findOffer(candidate);
    const isOurs = offer === null || (offer.runId === runId && offer.openedSid === null);
    if (isOurs && !isOpened(candidate)) return candidate;
    candidate = await putVoidStep(ports, terms, candidate, runId, round);
  }
  throw new Error("a void step makes a model that was never offered");
}

/** On the held-out rows of the coordinator; a report is stored before its hash is known to anyone. */
export async function evaluateCentrally(
  ports: Pick<CoordinatorPorts, "evaluator" | "blobs">,
  terms: RunTerms,
  modelBytes: Bytes,
): Promise<Pick<Evaluated, "measures" | "reportHash">> {
  const { measures, report } = await ports.evaluator.evaluate(terms.task, modelBytes);
  return { measures, reportHash: report === null ? null : await ports.blobs.put(report) };
}
