import { err, ok, type Result } from "#shared/kernel/result.ts";
import { fieldErrors } from "#shared/protocol/fields.ts";
import { LIMITS } from "#shared/protocol/limits.ts";
import type { Draft } from "#shared/sample/draft.ts";
import { draftOfTask } from "#shared/sample/draft-of-task.ts";
import { taskSchema } from "#shared/task/task.ts";

/** A draft of the task in a JSON file. Errors: a sentence. */
export async function taskOfFile(file: File): Promise<Result<Draft, string>> {
  if (file.size > LIMITS.jsonByteCountMax) return err(`${file.name} is larger than any task, so it is none.`);
  let value: unknown;
  try {
    value = JSON.parse(await file.text());
  } catch {
    return err(`${file.name} is no JSON. Give a file with one task, as the API and npm run task take it.`);
  }
  const parsed = taskSchema.safeParse(value);
  if (parsed.success) return ok({ ...draftOfTask(parsed.data), isNext: false });
  const [first] = fieldErrors(parsed.error);
  return err(
    `${file.name} is no task: ${first === undefined ? "its fields do not fit." : `${first.path}: ${first.sentence}`}`,
  );
}
