import { modelFromBytes, modelToBytes } from "../codec/model-bytes.ts";
import { type Bytes, bytesToHex, concatBytes, u32be } from "../kernel/bytes.ts";
import type { Primitives } from "../kernel/ports.ts";
import { ok } from "../kernel/result.ts";
import { initialModel } from "../strategy/initialize.ts";
import { voidStep } from "../strategy/void-step.ts";
import { modelTensors } from "../task/model.ts";
import type { Task } from "../task/task.ts";
import type { AuditSource, RoundClaims, RoundsBefore } from "./claims.ts";
import { type Checked, fault } from "./fault.ts";
import { fetchBlob } from "./fetch-blob.ts";

/** A coordinator makes at most this many void steps before it gives up on a model that was offered before. Rule R18. */
const VOID_STEPS_MAX = 8;

export interface ParentLink {
  /** For people: what the model was linked to, or why it was not. */
  readonly line: string;
  /** False if the records do not say what the rounds before left, so that a part of the link was not checked. */
  readonly isWhole: boolean;
}

/**
 * Checks that the round trained the model which the rounds before it left: that of the last committed round, or the
 * run's first, plus the void steps since. Takes the results of those rounds from their records; each can be audited on
 * its own. Rules A6, R18.
 */
export async function checkParent(
  primitives: Primitives,
  { before, runId, round, task, parentModelHash, parentStateHash }: RoundClaims,
  source: Pick<AuditSource, "blob">,
): Promise<Checked<ParentLink>> {
  if (before.kind === "unknown") {
    const line = `Note: the link to the round before was NOT checked: ${before.why} So it is unknown whether this round trained the model that the round before left.`;
    return ok({ line, isWhole: false });
  }
  const stateBefore = before.kind === "committed" ? before.strategyStateHash : null;
  if (stateBefore !== undefined && stateBefore !== parentStateHash)
    return fault("STRATEGY_STATE", "The strategy did not continue from its state after the round before.");
  const chain =
    before.kind === "beginning"
      ? await ModelChain.fromSeed(primitives, task, runId, before.seed)
      : ModelChain.fromModel(primitives, task, runId, before.modelHash, source);
  for (const one of [...before.since, { round, parentModelHash, phase: "committed" }]) {
    const reached = await chain.goOnTo(one.parentModelHash, one.round);
    if (!reached.ok) return reached;
    if (!reached.value)
      return fault(
        "PARENT",
        `Round ${one.round} trained the model ${one.parentModelHash}, which is not the one that the rounds before it left.`,
      );
    const stepped = one.phase === "voided" ? await chain.step(one.round) : ok(undefined);
    if (!stepped.ok) return stepped;
  }
  const steps = chain.stepCount === 0 ? "" : `, void steps since: ${chain.stepCount}`;
  const state =
    stateBefore === undefined
      ? " Note: the link to the strategy's state was NOT checked: that round has no transcript."
      : "";
  const line = `Model ${parentModelHash}: the round trained the model of ${nameOf(before)}${steps}.${state}`;
  return ok({ line, isWhole: stateBefore !== undefined });
}

function nameOf(before: Exclude<RoundsBefore, { kind: "unknown" }>): string {
  switch (before.kind) {
    case "committed":
      return `round ${before.round}`;
    case "version":
      return `version ${before.version}, with which the run began (which model has that number is the coordinator's word)`;
    case "beginning":
      return "the run's beginning";
  }
}

/** A model and the void steps after it. Fetches the weights only if a step is needed; otherwise the hash is enough. */
class ModelChain {
  stepCount = 0;
  readonly #primitives: Primitives;
  readonly #task: Task;
  readonly #runId: string;
  readonly #fetch: () => Promise<Checked<Bytes>>;
  #hash: string;
  #weights: Float32Array<ArrayBuffer> | null = null;

  private constructor(
    primitives: Primitives,
    task: Task,
    runId: string,
    hash: string,
    fetch: () => Promise<Checked<Bytes>>,
  ) {
    this.#primitives = primitives;
    this.#task = task;
    this.#runId = runId;
    this.#hash = hash;
    this.#fetch = fetch;
  }

  static fromModel(
    primitives: Primitives,
    task: Task,
    runId: string,
    hash: string,
    source: Pick<AuditSource, "blob">,
  ) {
    return new ModelChain(primitives, task, runId, hash, () => fetchBlob(primitives, source, hash));
  }

  static async fromSeed(primitives: Primitives, task: Task, runId: string, seed: number) {
    const tensors = modelTensors(task.model);
    const seedBytes = concatBytes([new Uint8Array(28), u32be(seed)]);
    const bytes = modelToBytes(tensors, await initialModel(primitives, tensors, seedBytes));
    const hash = bytesToHex(await primitives.sha256(bytes));
    return new ModelChain(primitives, task, runId, hash, async () => ok(bytes));
  }

  /**
   * True if the model has this hash, or gets it after a few void steps. A round takes such steps if its model was offered
   * before.
   */
  async goOnTo(hash: string, round: number): Promise<Checked<boolean>> {
    for (let steps = 0; this.#hash !== hash; steps++) {
      if (steps === VOID_STEPS_MAX) return ok(false);
      const stepped = await this.step(round);
      if (!stepped.ok) return stepped;
    }
    return ok(true);
  }

  async step(round: number): Promise<Checked<void>> {
    const tensors = modelTensors(this.#task.model);
    if (this.#weights === null) {
      const bytes = await this.#fetch();
      if (!bytes.ok) return bytes;
      const weights = modelFromBytes(tensors, bytes.value);
      if (!weights.ok) return fault("PARENT", `${this.#hash} is not a model of the task.`);
      this.#weights = weights.value;
    }
    this.#weights = await voidStep(this.#primitives, this.#weights, this.#runId, round);
    this.#hash = bytesToHex(await this.#primitives.sha256(modelToBytes(tensors, this.#weights)));
    this.stepCount++;
    return ok(undefined);
  }
}
