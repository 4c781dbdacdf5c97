import type { Bytes } from "#shared/kernel/bytes.ts";
import type { Task } from "#shared/task/task.ts";

export interface EvaluateJob {
  readonly task: Task;
  /** Of the held-out rows: a CSV file or a folder of IDX files. */
  readonly path: string;
  /** Safetensors; null only counts the rows. */
  readonly modelBytes: Bytes | null;
}
