import type { Portability } from "#shared/export/portability.ts";
import { utf8ToText } from "#shared/kernel/bytes.ts";
import { err, ok, type Result } from "#shared/kernel/result.ts";
import type { RoundDetail } from "#shared/protocol/api.ts";
import { type WireError, wireError } from "#shared/protocol/errors.ts";
import type { ModelVersionView } from "#shared/protocol/registry.ts";
import { judges } from "#shared/task/held-out.ts";
import { pointKey } from "#shared/task/operating-point.ts";
import type { Comparison } from "#shared/task/report/comparison.ts";
import { type EvaluationReport, evaluationReportSchema } from "#shared/task/report/report.ts";
import { targetOf } from "#shared/task/target.ts";
import type { Task } from "#shared/task/task.ts";
import type { CoordinatorPorts, HeldOutRows } from "../ports/ports.ts";
import { heldOutRows } from "./held-out-sets.ts";
import { REMEMBERED_MAX, Remembered } from "./remembered.ts";

type ReportPorts = Pick<CoordinatorPorts, "store" | "blobs" | "evaluator">;

/** What it reads of rounds and of numbered models. */
interface Shown {
  roundDetail(roundId: string): Promise<RoundDetail | null>;
  model(slug: string, version: number): Promise<ModelVersionView | null>;
}

/** A numbered model and the version of the task that it is of. */
interface VersionOfTask {
  readonly modelHash: string;
  readonly task: Task;
}

/** What is known of models on the held-out rows. Rules E60 to E62. */
export class Reports {
  readonly #ports: ReportPorts;
  readonly #shown: Shown;
  // Models and rows never change under their hashes.
  readonly #comparisons = new Remembered<Comparison>(REMEMBERED_MAX);
  readonly #portability = new Remembered<Portability>(REMEMBERED_MAX);

  constructor(ports: ReportPorts, shown: Shown) {
    this.#ports = ports;
    this.#shown = shown;
  }

  /** The full report of a round's model. Errors: NOT_FOUND, also if the model has none. */
  async report(roundId: string): Promise<Result<EvaluationReport, WireError>> {
    const { reportHash } = (await this.#shown.roundDetail(roundId)) ?? {};
    const bytes = reportHash === undefined ? null : await this.#ports.blobs.get(reportHash);
    const text = bytes === null ? undefined : utf8ToText(bytes);
    if (text === undefined) {
      return err(
        wireError("NOT_FOUND", "This round's model has no report: it was not evaluated on held-out rows."),
      );
    }
    return ok(evaluationReportSchema.parse(JSON.parse(text)));
  }

  /**
   * How a task's second model differs from the first. Both are asked anew, on the task's present held-out rows, so that it does
   * not matter on which rows their own figures were measured.
   *
   * Errors: NOT_FOUND without such models. @throws if the evaluator fails.
   */
  async compare(slug: string, first: number, second: number): Promise<Result<Comparison, WireError>> {
    const [one, other] = [await this.#modelOf(slug, first), await this.#modelOf(slug, second)];
    if (one === null || other === null)
      return err(wireError("NOT_FOUND", "The task has no model of this number."));
    const rows = await heldOutRows(this.#ports.store, one.task);
    if (rows === null || !judges(rows, other.task.version)) {
      const version = rows === null ? one.task.version : other.task.version;
      return ok(notComparable(`The task has no held-out rows that fit its version ${version}.`));
    }
    const reason = differenceOf(one.task, other.task);
    if (reason !== null) return ok(notComparable(reason));
    const { hash, operatingPoint } = rows;
    const versions = [one.task.version, other.task.version];
    const key = [one.modelHash, other.modelHash, hash, ...versions, pointKey(operatingPoint)].join();
    return ok(await this.#comparisons.of(key, () => this.#make(one, other, rows)));
  }

  /**
   * How a task's model does in onnxruntime as it leaves, and what 8 bits cost it. Errors: NOT_FOUND without such a model.
   * @throws if the evaluator fails.
   */
  async portability(slug: string, version: number): Promise<Result<Portability, WireError>> {
    const model = await this.#modelOf(slug, version);
    const modelBytes = model === null ? null : await this.#ports.blobs.get(model.modelHash);
    if (model === null || modelBytes === null)
      return err(wireError("NOT_FOUND", "The task has no model of this number."));
    const { task, modelHash } = model;
    const rows = await heldOutRows(this.#ports.store, task);
    const key = [modelHash, task.version, rows?.hash ?? "random"].join();
    return ok(
      await this.#portability.of(key, () => this.#ports.evaluator.portability({ task, modelBytes }, rows)),
    );
  }

  async #modelOf(slug: string, version: number): Promise<VersionOfTask | null> {
    const model = await this.#shown.model(slug, version);
    if (model === null) return null;
    const stored = await this.#ports.store.findTask(slug, model.taskVersion);
    return stored === null ? null : { modelHash: model.modelHash, task: stored.task };
  }

  async #make(first: VersionOfTask, second: VersionOfTask, rows: HeldOutRows): Promise<Comparison> {
    const { blobs, evaluator } = this.#ports;
    const [one, other] = await Promise.all([blobs.get(first.modelHash), blobs.get(second.modelHash)]);
    if (one === null || other === null) return notComparable("The file of a model is gone.");
    return evaluator.compare(
      { task: first.task, modelBytes: one },
      { task: second.task, modelBytes: other },
      rows,
    );
  }
}

function notComparable(reason: string): Comparison {
  return { comparable: false, reason };
}

/** Why models of two versions cannot be compared; null if they can. */
function differenceOf({ version: one, features: first }: Task, { version: other, features: second }: Task) {
  const between = `versions ${one} and ${other} of the task`;
  if (JSON.stringify(answerOf(first)) !== JSON.stringify(answerOf(second)))
    return `What the models answer differs between ${between}: they have other classes, or another number.`;
  if (JSON.stringify(columnsOf(first)) !== JSON.stringify(columnsOf(second)))
    return `What the models look at differs between ${between}: they have other columns or another shape.`;
  return null;
}

function answerOf(features: Task["features"]) {
  const target = targetOf(features);
  return target.kind === "classes" ? target.classes : [target.name, target.unit, target.range];
}

function columnsOf(features: Task["features"]) {
  return features.kind === "tabular"
    ? features.columns
        .filter(({ input }) => input)
        .map(({ name }) => name)
        .toSorted()
    : features;
}
