import { bundledTask } from "#coordinator/data/tasks.ts";
import { LIMITS } from "#shared/protocol/limits.ts";

const COLUMN_COUNT = 36;

/** The JSON of a task about as large as a body may be: many categories that are no input, so that its model is tiny. */
export function largeTask(slug: string): string {
  const categories = Array.from({ length: LIMITS.categoriesMax }, (_, index) => `${index}`.padEnd(9, "-"));
  const columns = Array.from({ length: COLUMN_COUNT }, (_, index) => ({
    name: `column ${index}`,
    type: "categorical",
    categories,
    input: false,
  }));
  const { model, features, ...task } = bundledTask("hmda", 8, 1);
  return JSON.stringify({
    ...task,
    slug,
    model: { ...model, inputShape: [1] },
    features: { ...features, columns: [{ name: "input", type: "numeric", range: [0, 1] }, ...columns] },
  });
}
