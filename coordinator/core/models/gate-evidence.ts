import type { Portability } from "#shared/export/portability.ts";
import { type Bytes, utf8ToText } from "#shared/kernel/bytes.ts";
import type { Result } from "#shared/kernel/result.ts";
import type { WireError } from "#shared/protocol/errors.ts";
import type { Measures } from "#shared/stats/measure.ts";
import {
  type GateEvidence,
  isUnknown,
  type Latency,
  type MeasuredFigure,
  type Need,
  type Paired,
  type Parity,
  type Unknown,
} from "#shared/task/gates/evidence.ts";
import { listedMeasures } from "#shared/task/measures/index.ts";
import { pointKey } from "#shared/task/operating-point.ts";
import { type EvaluationReport, evaluationReportSchema } from "#shared/task/report/report.ts";
import type { Task } from "#shared/task/task.ts";
import type { CoordinatorPorts } from "../ports/ports.ts";
import type { NumberedModel } from "../ports/registry-store.ts";
import { heldOutRows } from "./held-out-sets.ts";
import { REMEMBERED_MAX, Remembered } from "./remembered.ts";

type EvidencePorts = Pick<CoordinatorPorts, "store" | "blobs" | "evaluator">;

/** Trials of a task's models, by their numbers. Each is remembered, because it takes seconds. */
export interface ModelTrials {
  /** How the second differs from the first on the same held-out rows. */
  compare(slug: string, first: number, second: number): Promise<Result<Paired, WireError>>;
  portability(slug: string, version: number): Promise<Result<Portability, WireError>>;
}

interface Judged {
  /** Of the version that the model was made for. */
  readonly task: Task;
  readonly candidate: NumberedModel;
  readonly champion: NumberedModel | null;
}

const NOT_ASKED: Unknown = { unknown: "No gate asks for it." };

/** Finds out what gates ask for, and only that. */
export class GateEvidenceDesk {
  readonly #ports: EvidencePorts;
  readonly #trials: ModelTrials;
  // Models and rows never change under their hashes.
  readonly #figures = new Remembered<readonly MeasuredFigure[]>(REMEMBERED_MAX);

  constructor(ports: EvidencePorts, trials: ModelTrials) {
    this.#ports = ports;
    this.#trials = trials;
  }

  /** @throws if the evaluator or the store fails; asking again may help. */
  async gather(judged: Judged, needs: ReadonlySet<Need>): Promise<GateEvidence> {
    const { candidate } = judged;
    const leaves = needs.has("parity") || needs.has("latency");
    const portability = leaves ? await this.#portability(candidate) : NOT_ASKED;
    return {
      measures: needs.has("figures") ? await this.#figuresOf(judged) : [],
      paired: needs.has("paired") ? await this.#pairedOf(judged) : null,
      cohortSizeLeast: needs.has("cohort") ? await this.#leastCohort(candidate) : NOT_ASKED,
      byteCount: needs.has("size") ? await this.#byteCount(candidate) : NOT_ASKED,
      parity: parityOf(portability),
      latency: latencyOf(portability),
    };
  }

  /**
   * All figures on the present held-out rows, with the present costs of errors. A model that was measured on others, or with
   * others, is asked anew, once; without rows there is no figure.
   */
  async #figuresOf({ task, candidate }: Judged): Promise<readonly MeasuredFigure[]> {
    const { store, blobs, evaluator } = this.#ports;
    const rows = await heldOutRows(store, task);
    if (rows === null) return [];
    const { metrics, modelHash } = candidate;
    const { reportHash } = metrics ?? {};
    if (metrics?.measures != null && metrics.measuredOn === rows.hash) {
      const report = reportFrom(reportHash === undefined ? null : await blobs.get(reportHash));
      if (report === null || pointKey(report.operatingPoint) === pointKey(rows.operatingPoint))
        return figuresFrom(metrics.measures, report);
    }
    const modelBytes = await blobs.get(modelHash);
    if (modelBytes === null) return [];
    const key = [modelHash, rows.hash, task.version, pointKey(rows.operatingPoint)].join();
    return this.#figures.of(key, async () => {
      const { measures, report } = await evaluator.evaluateAside({ task, modelBytes }, rows);
      return figuresFrom(measures, reportFrom(report));
    });
  }

  async #pairedOf({ candidate, champion }: Judged): Promise<Paired | null> {
    // A version is not compared with itself.
    if (champion === null || champion.number === candidate.number) return null;
    const compared = await this.#trials.compare(candidate.task, champion.number, candidate.number);
    return compared.ok ? compared.value : { comparable: false, reason: compared.error.message };
  }

  async #leastCohort({ runId, round }: NumberedModel): Promise<number | Unknown> {
    const { store } = this.#ports;
    const [versions, numbers] = await Promise.all([
      store.listModelVersions(runId),
      store.modelNumbers(runId),
    ]);
    const made = versions.filter((version) => version.round <= round && numbers.has(version.round));
    const sizes = made.flatMap(({ metrics }) => metrics?.survivors ?? []);
    return sizes.length === made.length && sizes.length > 0
      ? Math.min(...sizes)
      : { unknown: "How many devices its rounds had was not kept." };
  }

  async #byteCount({ modelHash }: NumberedModel): Promise<number | Unknown> {
    return (await this.#ports.blobs.byteCount(modelHash)) ?? { unknown: "The file of its weights is gone." };
  }

  async #portability({ task, number }: NumberedModel): Promise<Portability | Unknown> {
    const tried = await this.#trials.portability(task, number);
    return tried.ok ? tried.value : { unknown: tried.error.message };
  }
}

function parityOf(tried: Portability | Unknown): Parity | Unknown {
  if (isUnknown(tried)) return tried;
  const { random, heldOut } = tried.parity;
  const tries = heldOut === null ? [random] : [random, heldOut];
  const errors = tries.flatMap(({ errorMax }) => errorMax ?? []);
  if (errors.length < tries.length)
    return { unknown: "An answer of the ONNX file or of the engine is not a number." };
  return { difference: Math.max(...errors), rowCount: tries.reduce((sum, { rows }) => sum + rows, 0) };
}

function latencyOf(tried: Portability | Unknown): Latency | Unknown {
  if (isUnknown(tried)) return tried;
  return { medianMs: tried.oneRowMs.onnx, where: "by onnxruntime, in a thread of the coordinator" };
}

/** Null without one that reads. */
function reportFrom(bytes: Bytes | null): EvaluationReport | null {
  const text = bytes === null ? undefined : utf8ToText(bytes);
  const report = text === undefined ? null : evaluationReportSchema.safeParse(JSON.parse(text));
  return report?.success === true ? report.data : null;
}

/** Those of the report; without one, those that rounds show. */
function figuresFrom(measures: Measures, report: EvaluationReport | null): readonly MeasuredFigure[] {
  if (report !== null) {
    return report.measures.flatMap(({ name, label, value, low, high, unit, better }) =>
      value === null ? [] : [{ name, label, value, low, high, unit, better }],
    );
  }
  return listedMeasures(measures).map(({ spec, measure }) => {
    const { name, label, better } = spec;
    const { value, halfWidth95, unit = "none" } = measure;
    return {
      name,
      label,
      better,
      value,
      low: value - halfWidth95,
      high: value + halfWidth95,
      unit: spec.unit === "label" ? unit : spec.unit,
    };
  });
}
