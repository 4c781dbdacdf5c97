import { canonicalJson, type Json } from "../codec/canonical-json.ts";
import { agreedGraphOf } from "../cohort/graph-plan.ts";
import { DOMAINS } from "../crypto/domains.ts";
import { E } from "../crypto/encode.ts";
import { bytesToHex } from "../kernel/bytes.ts";
import type { Primitives } from "../kernel/ports.ts";
import type { HashHex } from "../protocol/ids.ts";
import { layoutData } from "../vector/layout.ts";
import { layoutOf } from "../vector/task-layout.ts";
import type { AgreedConfig, AgreedVector } from "./config.ts";
import { purposesOf } from "./purposes.ts";
import type { Purpose } from "./round-params.ts";
import type { Task } from "./task.ts";

/** The part of a config that is not the task: who runs it, with which code. */
export interface Authority {
  readonly projectId: string;
  readonly codeVersion: string;
  /** Ed25519 keys, 64 hex digits each. A log key of zeros means that there is no log. */
  readonly issuerKey: string;
  readonly logKey: string;
  /** Absent without a log. */
  readonly logOrigin?: string | undefined;
}

/** The log key of a coordinator that keeps no public log. Devices say so. */
export const NO_LOG_KEY = "0".repeat(64);

/** SHA-256(E(task, canonical JSON)) of the whole task. Consent binds to it. */
export function taskHashOf(primitives: Primitives, task: Task): Promise<HashHex> {
  return hashJson(primitives, DOMAINS.task, task as unknown as Json);
}

/**
 * Derives the config from a task and the authority over it. Coordinator and device each do so, and a device refuses a round
 * with another config (CONFIG). secagg/PROTOCOL.md section 1.
 */
export async function agreedConfigOf(
  primitives: Primitives,
  task: Task,
  authority: Authority,
): Promise<AgreedConfig> {
  const { cohortSizeMin, cohortSizeMax, securityModel, ring, clipNormL2, weightCap } = task.aggregation;
  const vectors: { -readonly [P in Purpose]?: AgreedVector } = {};
  for (const purpose of purposesOf(task)) vectors[purpose] = await agreedVector(primitives, task, purpose);
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
    vectors,
    ring,
    clipNormL2,
    weightCap,
    dp: null,
    codeVersion: authority.codeVersion,
    issuerKey: authority.issuerKey as HashHex,
    logKey: authority.logKey as HashHex,
    // A config without a log has no such field and keeps the hash that it had before there were logs.
    ...(authority.logOrigin === undefined ? {} : { logOrigin: authority.logOrigin }),
    ...(task.logWitnesses === undefined ? {} : { logWitnesses: task.logWitnesses }),
  };
}

async function agreedVector(primitives: Primitives, task: Task, purpose: Purpose): Promise<AgreedVector> {
  const layout = layoutOf(task, purpose, null);
  const layoutHash = await hashJson(primitives, DOMAINS.layout, layoutData(layout));
  return { vectorLength: layout.length, layoutHash };
}

async function hashJson(
  primitives: Primitives,
  domain: (typeof DOMAINS)["task" | "layout"],
  value: Json,
): Promise<HashHex> {
  return bytesToHex(await primitives.sha256(E(domain, canonicalJson(value)))) as HashHex;
}
