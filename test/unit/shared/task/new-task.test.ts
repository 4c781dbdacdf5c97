import { describe, expect, test } from "vitest";
import { BUNDLED_TASKS, bundledTask } from "#coordinator/data/tasks.ts";
import { fieldErrors } from "#shared/protocol/fields.ts";
import { newTaskSchema } from "#shared/task/new-task.ts";
import { taskSchema } from "#shared/task/task.ts";

const hmda = bundledTask("hmda", 8, 1);

function withClasses(classes: readonly string[]) {
  return { ...hmda, features: { ...hmda.features, classes } };
}
function withCategories(categories: readonly string[]) {
  const { features } = hmda;
  if (features.kind !== "tabular") throw new Error("a table");
  const columns = [...features.columns, { name: "colour", type: "categorical", categories, input: false }];
  return { ...hmda, features: { ...features, columns } };
}
test("[T6] a kind, layer or optimizer that there is not is answered with those that there are, or with a reason", () => {
  const dense = { className: "Dense", name: "d", units: 2, activation: "softmax" };
  const layer = (className: string) => ({ ...hmda.model, layers: [{ className, name: "b" }, dense] });
  const sentenceAt = (task: object, path: string) => {
    const parsed = newTaskSchema.safeParse(task);
    return parsed.success ? null : fieldErrors(parsed.error).find((error) => error.path === path)?.sentence;
  };
  expect(sentenceAt({ ...hmda, features: { ...hmda.features, kind: "tabel" } }, "features.kind")).toBe(
    'Must be one of "tabular", "image", "series".',
  );
  const optimizer = { kind: "adamw", learningRate: 0.1 };
  expect(sentenceAt({ ...hmda, training: { ...hmda.training, optimizer } }, "training.optimizer.kind")).toBe(
    'Must be one of "sgd", "adam".',
  );
  expect(sentenceAt({ ...hmda, model: layer("BatchNormalization") }, "model.layers.0.className")).toMatch(
    /^BatchNormalization is not taken: .* Use LayerNormalization/,
  );
  expect(sentenceAt({ ...hmda, model: layer("Dens") }, "model.layers.0.className")).toMatch(
    /^Must be one of "Flatten", "Dense"/,
  );
});

const at = hmda.features.kind === "tabular" ? hmda.features.columns.length : 0;

describe("[E40] a class or category that no row could have is refused in a new task, and read in a stored one", () => {
  test.each([
    ["a class twice", withClasses(["no", "no"]), "features.classes", /"no" stands there twice/],
    ["a blank class", withClasses(["no", " "]), "features.classes", /blank/],
    ["a padded class", withClasses(["no", "yes "]), "features.classes", /"yes " is blank or has blanks/],
    ["a category twice", withCategories(["a", "a", "b"]), `features.columns.${at}.categories`, /"a" stands/],
    ["a padded category", withCategories(["a", "\tb"]), `features.columns.${at}.categories`, /blanks/],
  ])("%s", (_, task, path, sentence) => {
    const parsed = newTaskSchema.safeParse(task);
    const [error] = parsed.success ? [] : fieldErrors(parsed.error);
    expect(error?.path).toBe(path);
    expect(error?.sentence).toMatch(sentence);
    expect(taskSchema.safeParse(task).success).toBe(true);
  });

  test.each(BUNDLED_TASKS)("%s has none", (name) => {
    expect(newTaskSchema.safeParse(bundledTask(name, 8, 1)).success).toBe(true);
  });

  test("classes that differ in capitals only are different", () => {
    expect(newTaskSchema.safeParse(withClasses(["a", "A"])).success).toBe(true);
  });
});
