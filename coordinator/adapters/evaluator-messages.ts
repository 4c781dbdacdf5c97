import type { Bytes } from "#shared/kernel/bytes.ts";
import type { Task } from "#shared/task/task.ts";
import type { CentralEvaluation } from "../core/ports.ts";

export interface EvaluateJob {
  readonly id: number;
  readonly task: Task;
  /** Of the held-out rows: a CSV file or a folder of IDX files. */
  readonly path: string;
  /** Safetensors; null only counts the rows. */
  readonly modelBytes: Bytes | null;
}
export type EvaluateReply =
  | { readonly id: number; readonly ok: true; readonly evaluation: CentralEvaluation }
  | { readonly id: number; readonly ok: false; readonly message: string };
