import type { CheckedRows, CheckProgress, HeldOutRefusal } from "#coordinator/core/ports/held-out-files.ts";
import type { Result } from "#shared/kernel/result.ts";
import type { HeldOutReading } from "#shared/task/held-out.ts";
import type { Task } from "#shared/task/task.ts";

/** What the thread that checks held-out rows is asked. It beats with `CheckProgress`. */
export interface CheckJob {
  readonly path: string;
  readonly reading: HeldOutReading;
  readonly task: Task;
}

export type CheckAnswer = Result<CheckedRows, HeldOutRefusal>;
export type { CheckProgress };
