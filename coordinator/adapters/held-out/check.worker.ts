import type { CheckedRows, HeldOutRefusal } from "#coordinator/core/ports/held-out-files.ts";
import type { ImportReport } from "#shared/data/report.ts";
import { LabelRows } from "#shared/data/row-sink.ts";
import { err, ok, type Result } from "#shared/kernel/result.ts";
import { digestFile } from "#shared/node/durable-files.ts";
import { wireError } from "#shared/protocol/errors.ts";
import { balanceFault, balanceOf } from "#shared/task/held-out-balance.ts";
import type { Task } from "#shared/task/task.ts";
import { answerJobs } from "../answer-jobs.ts";
import type { CheckAnswer, CheckJob, CheckProgress } from "./jobs.ts";
import { scanHeldOutRows } from "./read-rows.ts";

/*
 * Checks held-out rows: reads every one as the evaluator will, keeps its label alone, and hashes the file. One file after
 * the other.
 */

answerJobs<CheckJob, CheckAnswer>(async ({ path, reading, task }, beat) => {
  const report = (progress: CheckProgress) => beat(progress);
  const { sha256: hash } = await digestFile(path, async () => report({ rowsChecked: 0, checkedShare: 0 }));
  let rows = new LabelRows();
  const openRows = () => {
    rows = new LabelRows();
    return rows;
  };
  const scanned = await scanHeldOutRows(path, reading, task, openRows, report);
  if (!scanned.ok) return refused(scanned.error.sentence, scanned.error.problems);
  report({ rowsChecked: scanned.value.rowsRead, checkedShare: 1 });
  return judged(scanned.value, rows.labels, task, hash);
});

/** Every row has to fit, and the rows together have to tell models apart. */
function judged(
  { rowsLeftOut, rowsRead, problems }: ImportReport,
  labels: readonly number[],
  task: Task,
  hash: string,
): Result<CheckedRows, HeldOutRefusal> {
  if (rowsLeftOut > 0)
    return refused(
      `${rowsLeftOut.toLocaleString("en")} of ${rowsRead.toLocaleString("en")} rows do not fit the task. Mend or remove them, and send the file again.`,
      problems,
    );
  const balance = balanceOf(task, labels);
  const fault = balanceFault(balance);
  return fault === null ? ok({ hash, rowCount: labels.length, balance }) : refused(fault);
}

function refused(sentence: string, problems: HeldOutRefusal["problems"] = []): Result<never, HeldOutRefusal> {
  return err({ error: wireError("HELD_OUT_REFUSED", `${sentence} Nothing was stored.`), problems });
}
