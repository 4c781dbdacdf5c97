import { err, ok, type Result } from "../kernel/result.ts";
import { answerOf } from "../model/answer.ts";
import { importModel } from "../model/import-topology.ts";
import { type ModelTemplate, modelTemplates, proposedTemplate } from "../model/templates.ts";
import { type Features, inputShape } from "../task/features.ts";
import type { ModelSpec } from "../task/model.ts";
import type { Draft } from "./draft.ts";

/** Without a sample it is not known how much a model could learn by heart. */
const ROWS_UNKNOWN = 1_000;

/** The templates for a draft's features, and the one that is chosen, or proposed if none is. */
export function templatesOf(
  draft: Draft,
  features: Features,
): { readonly templates: readonly ModelTemplate[]; readonly chosen: ModelTemplate["id"] | null } {
  const templates = modelTemplates(inputShape(features), answerOf(features));
  const { model } = draft;
  if (model.from !== "template") return { templates, chosen: null };
  const known = templates.find(({ id }) => id === model.name)?.id;
  return { templates, chosen: known ?? proposedTemplate(templates, draft.sample?.rows ?? ROWS_UNKNOWN) };
}

/** The model that a draft chose. Error: one or more sentences that say what would work. */
export function modelOfDraft(draft: Draft, features: Features): Result<ModelSpec, string> {
  const { model, base } = draft;
  switch (model.from) {
    case "template": {
      const { templates, chosen } = templatesOf(draft, features);
      const template = templates.find(({ id }) => id === chosen);
      return template === undefined ? err("There is no such template. Choose another.") : ok(template.model);
    }
    case "json": {
      if (model.text.trim() === "") return err("Paste the model’s JSON, or choose a template.");
      const read = importModel(model.text, inputShape(features), answerOf(features));
      return read.ok ? ok(read.value.model) : err(read.error.map(({ sentence }) => sentence).join(" "));
    }
    case "base":
      return base === null ? err("There is no earlier version. Choose a template.") : ok(base.model);
  }
}
