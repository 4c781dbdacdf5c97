import { present } from "#shared/kernel/assert.ts";
import type { Bytes } from "#shared/kernel/bytes.ts";
import type { Evaluated } from "#shared/round/run-event.ts";
import type { ModelJob } from "../ports/model-job.ts";
import { FileLost } from "../ports/outage.ts";
import type { CoordinatorPorts, HeldOutRows } from "../ports/ports.ts";
import type { RunTerms } from "../tasks/terms.ts";

type ModelPorts = Pick<CoordinatorPorts, "blobs" | "store" | "models">;

/**
 * Bound on the void steps to a model that was never offered. One is enough in practice, because each makes a
 * different model.
 */
const VOID_STEPS_MAX = 8;

/** @throws FileLost, which callers wait out. */
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

/** Makes and stores an initial model or a void step's. The same job makes the same model. @returns Its hash. */
export async function putMade(
  ports: Pick<CoordinatorPorts, "blobs" | "models">,
  job: ModelJob,
): Promise<string> {
  const { modelBytes } = await ports.models.make(job);
  return ports.blobs.put(present(modelBytes, "a model without a sum in it is finite"));
}

/** Stores the model after a void step. */
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
 * The model that a round may offer for `modelHash`: itself, or void steps of it until one was neither offered
 * by another run nor opened. Two sums opened for one model could be subtracted. Rule R18.
 *
 * @param isOpened  Whether devices say that a model was opened. After restoring a backup only they know.
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

/** Evaluates on held-out rows. A report is stored before anyone learns its hash. */
export async function evaluateCentrally(
  ports: Pick<CoordinatorPorts, "evaluator" | "blobs">,
  terms: RunTerms,
  modelBytes: Bytes,
  rows: HeldOutRows,
): Promise<Pick<Evaluated, "measures" | "measuredOn" | "reportHash">> {
  const { measures, report } = await ports.evaluator.evaluate(terms.task, modelBytes, rows);
  const reportHash = report === null ? null : await ports.blobs.put(report);
  return { measures, measuredOn: rows.hash, reportHash };
}
