import type { Bytes } from "#shared/kernel/bytes.ts";
import type { HeldOutReading } from "#shared/task/held-out.ts";
import type { Task } from "#shared/task/task.ts";

export interface EvaluateJob {
  readonly task: Task;
  /** File of the held-out rows. Its name is the hash of its bytes. */
  readonly path: string;
  readonly reading: HeldOutReading;
  /** Safetensors. */
  readonly modelBytes: Bytes;
}
