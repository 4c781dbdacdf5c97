import { expect, test } from "vitest";
import { BUNDLED_TASKS, bundledTask } from "#coordinator/data/tasks.ts";
import { answerOf } from "#shared/model/answer.ts";
import { importModel } from "#shared/model/import-topology.ts";
import { modelTemplates } from "#shared/model/templates.ts";
import { modelText } from "#shared/model/write-topology.ts";

test.each(BUNDLED_TASKS)("[T7] a model of %s reads back as it was written", (slug) => {
  const { model, features } = bundledTask(slug, 8, 1);
  const answer = answerOf(features);
  const models = [model, ...modelTemplates(model.inputShape, answer).map((template) => template.model)];
  for (const one of models) {
    const read = importModel(modelText(one), one.inputShape, answer);
    expect(read).toMatchObject({ ok: true, value: { notes: [] } });
    if (read.ok) expect(read.value.model.layers).toEqual(one.layers);
  }
});
