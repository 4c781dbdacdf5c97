import { canonicalJson, type Json } from "../codec/canonical-json.ts";
import type { TensorLayout } from "../codec/tensors.ts";
import { DOMAINS } from "../crypto/domains.ts";
import { E } from "../crypto/encode.ts";
import { bytesToHex } from "../kernel/bytes.ts";
import type { Primitives } from "../kernel/ports.ts";
import type { TensorSpec } from "../layers/initializer.ts";
import type { HashHex } from "../protocol/ids.ts";
import { layoutData, type VectorLayout, vectorLayout } from "../vector/layout.ts";
import type { AgreedConfig } from "./config.ts";
import { agreedGraphOf } from "./graph-plan.ts";
import { modelTensors } from "./model.ts";
import type { Task } from "./task.ts";

/** What a config says beside the task: who runs it, with which code. */
export interface Authority {
  readonly projectId: string;
  readonly codeVersion: string;
  /** Ed25519 keys, 64 hex digits; a log key of zeros means unlogged. */
  readonly issuerKey: string;
  readonly logKey: string;
}

/** There is no public log yet, and devices are told so. */
export const NO_LOG_KEY = "0".repeat(64);

/** The tensors of a task's model, in the order of the flat weight vector. */
export function tensorsOf(task: Task): TensorLayout<TensorSpec> {
  return modelTensors(task.model);
}

/** The segments of a task's vector. */
export function layoutOf(task: Task): VectorLayout {
  const { cohortSizeMax, clipNormL2, weightCap, ring } = task.aggregation;
  return vectorLayout({
    parameterCount: tensorsOf(task).parameterCount,
    cohortSizeMax,
    clipNormL2,
    weightCap,
    ring,
  });
}

/** SHA-256(E(task, canonical JSON)) of the whole task; what consent binds to. */
export function taskHashOf(primitives: Primitives, task: Task): Promise<HashHex> {
  return hashJson(primitives, DOMAINS.task, task as unknown as Json);
}

/**
 * The config that follows from a task and the authority over it. Coordinator and device each derive it; a device refuses
 * a round that names another (CONFIG). SECAGG section 1.
 */
export async function agreedConfigOf(
  primitives: Primitives,
  task: Task,
  authority: Authority,
): Promise<AgreedConfig> {
  const { cohortSizeMin, cohortSizeMax, securityModel, ring, clipNormL2, weightCap } = task.aggregation;
  const layout = layoutOf(task);
  return {
    projectId: authority.projectId,
    task: task.slug,
    taskVersion: task.version,
    taskHash: await taskHashOf(primitives, task),
    cohortSizeMin,
    cohortSizeMax,
    securityModel,
    graph: agreedGraphOf(task.aggregation),
    thresholdFormula: "chorus/1",
    vectorLength: layout.length,
    layoutHash: await hashJson(primitives, DOMAINS.layout, layoutData(layout)),
    ring,
    clipNormL2,
    weightCap,
    dp: null,
    codeVersion: authority.codeVersion,
    issuerKey: authority.issuerKey as HashHex,
    logKey: authority.logKey as HashHex,
  };
}

async function hashJson(
  primitives: Primitives,
  domain: (typeof DOMAINS)["task" | "layout"],
  value: Json,
): Promise<HashHex> {
  return bytesToHex(await primitives.sha256(E(domain, canonicalJson(value)))) as HashHex;
}
