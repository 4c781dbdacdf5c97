import type { CheckedRows, HeldOutRefusal } from "#coordinator/core/ports/held-out-files.ts";
import type { Imported } from "#shared/data/report.ts";
import { err, ok, type Result } from "#shared/kernel/result.ts";
import { digestFile } from "#shared/node/durable-files.ts";
import { wireError } from "#shared/protocol/errors.ts";
import { balanceFault, balanceOf } from "#shared/task/held-out-balance.ts";
import type { Task } from "#shared/task/task.ts";
import { answerJobs } from "../answer-jobs.ts";
import type { CheckAnswer, CheckJob, CheckProgress } from "./jobs.ts";
import { readHeldOutRows } from "./read-rows.ts";

/* Checks held-out rows: reads every one as the evaluator will, and hashes the file. One file after the other. */

answerJobs<CheckJob, CheckAnswer>(async ({ path, format, task }, beat) => {
  const report = (progress: CheckProgress) => beat(progress);
  const { sha256: hash } = await digestFile(path, async () => report({ rowsChecked: 0, checkedShare: 0 }));
  const read = await readHeldOutRows(path, format, task, (checkedShare) =>
    report({ rowsChecked: 0, checkedShare }),
  );
  if (!read.ok) return refused(read.error.sentence, read.error.problems);
  const { dataset } = read.value;
  report({ rowsChecked: dataset.count, checkedShare: 1 });
  return judged(read.value, task, hash);
});

/** Every row has to fit, and the rows together have to tell models apart. */
function judged(
  { dataset, report }: Imported,
  task: Task,
  hash: string,
): Result<CheckedRows, HeldOutRefusal> {
  if (report.rowsLeftOut > 0) {
    const { rowsLeftOut, rowsRead: rowCount, problems } = report;
    return refused(
      `${rowsLeftOut.toLocaleString("en")} of ${rowCount.toLocaleString("en")} rows do not fit the task. Mend or remove them, and send the file again.`,
      problems,
    );
  }
  const balance = balanceOf(task, dataset.labels);
  const fault = balanceFault(balance);
  return fault === null ? ok({ hash, rowCount: dataset.count, balance }) : refused(fault);
}

function refused(sentence: string, problems: HeldOutRefusal["problems"] = []): Result<never, HeldOutRefusal> {
  return err({ error: wireError("HELD_OUT_REFUSED", `${sentence} Nothing was stored.`), problems });
}
