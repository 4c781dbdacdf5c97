import type { DeepReadonly } from "#shared/kernel/deep-readonly.ts";
import type { Alias } from "#shared/protocol/aliases.ts";
import type { RoundView } from "#shared/protocol/api.ts";
import type { GateResult, PromotionRules } from "#shared/task/gates/index.ts";

export interface Page {
  readonly limit: number;
  readonly cursor?: string | undefined;
}
export interface Listed<Item> {
  readonly items: readonly Item[];
  readonly next: string | null;
}

export interface ModelVersionRow {
  readonly runId: string;
  readonly round: number;
  readonly modelHash: string;
  readonly parentHash: string | null;
  /** Blob of the strategy's state after this model; null for a stateless strategy. */
  readonly strategyStateHash: string | null;
  /** Null until there are any. */
  readonly metrics: ModelMetrics | null;
}
/** Figures of a model, as its round shows them. */
export type ModelMetrics = DeepReadonly<
  Partial<
    Pick<
      RoundView,
      "measures" | "measuredOn" | "reportHash" | "deviceMeasures" | "updateNormL2" | "survivors"
    >
  >
>;

/** A model that a committed round made. Its number counts those of its task, over all runs. */
export interface NumberedModel extends Omit<ModelVersionRow, "strategyStateHash"> {
  readonly task: string;
  readonly number: number;
  readonly taskVersion: number;
  readonly runNumber: number;
  /** `RunRow.state`. */
  readonly runState: string;
  /** True for the newest of its run. */
  readonly isCandidate: boolean;
  /** Unix milliseconds. */
  readonly madeAt: number;
}

/** What a task's devices and pages predict with. */
export interface ModelInUse {
  readonly model: NumberedModel;
  /** Null if nothing was ever promoted: the newest model is served then. */
  readonly alias: "champion" | null;
}

export interface AliasRow {
  readonly alias: Alias;
  readonly number: number;
  /** Unix milliseconds. */
  readonly movedAt: number;
  readonly movedBy: string;
}

/** Moves an alias, or removes it with `row` null. */
export interface ModelAliasRecord {
  readonly type: "model-alias";
  readonly task: string;
  readonly alias: Alias;
  readonly row: Omit<AliasRow, "alias"> | null;
}

/** Numbered models and their aliases: rows that `append` and `appendNext` write. */
export interface RegistryStore {
  /** Of a task, newest first; none if there is no such task. */
  listModels(task: string, page: Page): Promise<Listed<NumberedModel>>;
  findModel(task: string, number: number): Promise<NumberedModel | null>;
  /** The numbers of a run's models, by round. */
  modelNumbers(runId: string): Promise<ReadonlyMap<number, number>>;
  /** Those of a task that name a model. */
  listAliases(task: string): Promise<readonly AliasRow[]>;
}

/** What a task's gates said of a version, and in view of what. */
export interface JudgedVersion {
  readonly version: number;
  /** The champion that it was compared with; null: none. */
  readonly champion: number | null;
  readonly rules: PromotionRules;
  /** See `judgingKey`. */
  readonly judgedBy: string;
  /** In the order of the rules. */
  readonly gates: readonly GateResult[];
}
