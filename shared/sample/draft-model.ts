import { err, ok, type Result } from "../kernel/result.ts";
import { answerOf } from "../model/answer.ts";
import { type ImportFault, importModel } from "../model/import-topology.ts";
import { replaceLayers } from "../model/replace-layers.ts";
import { type ModelTemplate, modelTemplates, proposedTemplate } from "../model/templates.ts";
import { type Features, inputShape } from "../task/features.ts";
import type { ModelSpec } from "../task/model.ts";
import type { Draft } from "./draft.ts";
import type { DraftProblem } from "./draft-problem.ts";
import type { DraftMend } from "./mend.ts";

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

/** The model that a draft chose. Error: one or more sentences that say what would work, and what of it can be done at once. */
export function modelOfDraft(
  draft: Draft,
  features: Features,
): Result<ModelSpec, Pick<DraftProblem, "sentence" | "mends">> {
  const { model, base } = draft;
  const refuse = (sentence: string) => err({ sentence });
  switch (model.from) {
    case "template": {
      const { templates, chosen } = templatesOf(draft, features);
      const template = templates.find(({ id }) => id === chosen);
      return template === undefined
        ? refuse("There is no such template. Choose another.")
        : ok(template.model);
    }
    case "json": {
      if (model.text.trim() === "") return refuse("Paste the model’s JSON, or choose a template.");
      const read = importModel(model.text, inputShape(features), answerOf(features));
      if (read.ok) return ok(read.value.model);
      const sentence = read.error.map((fault) => fault.sentence).join(" ");
      return err({ sentence, mends: replacementsOf(model.text, read.error) });
    }
    case "base":
      return base === null ? refuse("There is no earlier version. Choose a template.") : ok(base.model);
  }
}

/** For each class of layers that another does the work of. */
function replacementsOf(text: string, faults: readonly ImportFault[]): DraftMend[] {
  const toByFrom = new Map(
    faults.flatMap(({ replacement: one }) => (one ? [[one.from, one.to] as const] : [])),
  );
  return [...toByFrom].map(([from, to]) => ({
    type: "model-text",
    text: replaceLayers(text, from, to),
    words: `Put ${to} there`,
  }));
}
