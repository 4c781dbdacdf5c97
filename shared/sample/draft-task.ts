import { fieldErrors } from "../protocol/fields.ts";
import type { Features } from "../task/features.ts";
import { featuresSchema } from "../task/features.ts";
import type { ModelSpec } from "../task/model.ts";
import { newTaskSchema } from "../task/new-task.ts";
import type { Task } from "../task/task.ts";
import {
  type Draft,
  type DraftAbout,
  fieldsOfColumn,
  labelOf,
  rulesOf,
  statedStage,
  versionOf,
} from "./draft.ts";
import { categoriesOf, featuresOf, named, type PlacedColumn } from "./draft-features.ts";
import { missingOf } from "./draft-missing.ts";
import { modelOfDraft } from "./draft-model.ts";
import { aboutOfTask } from "./draft-of-task.ts";
import type { DraftPart, DraftProblem } from "./draft-problem.ts";
import { aggregationOf, trainingOf } from "./draft-rules.ts";
import { nounsOf, numberOf } from "./typed.ts";

export interface DraftResult {
  /** Null if there are problems. */
  readonly task: Task | null;
  /** The same, also while only words are missing. */
  readonly preview: Task | null;
  /** What people will bring, as far as it is known; null if parts 1 and 2 have problems. */
  readonly features: Features | null;
  /** Null if there is none yet, or it cannot be built. */
  readonly model: ModelSpec | null;
  readonly problems: readonly DraftProblem[];
}

/**
 * The task that a draft describes, or everything that keeps it from being one.
 */
export function taskOfDraft(draft: Draft): DraftResult {
  const missing = missingOf(draft);
  const { raw: rawFeatures, places } = featuresOf(draft);
  const parsedFeatures = featuresSchema.safeParse(rawFeatures);
  const features = parsedFeatures.success ? parsedFeatures.data : null;
  const problems: DraftProblem[] = [...missing];
  const add = (problem: DraftProblem) => {
    // Of two things about one field, the first is the nearer one.
    if (!problems.some(({ field }) => field === problem.field)) problems.push(problem);
  };
  if (!parsedFeatures.success) {
    for (const { path, sentence } of fieldErrors(parsedFeatures.error)) {
      add({ ...placeOf(`features.${path}`, places), sentence, isMissing: false });
    }
  }
  const built = features === null ? null : modelOfDraft(draft, features);
  if (built?.ok === false) add({ part: 3, field: "model", isMissing: false, ...built.error });
  const model = built?.ok === true ? built.value : null;
  const stage = statedStage(draft);
  const rules = rulesOf(draft);
  const raw = {
    slug: draft.about.slug.trim() || "draft",
    version: versionOf(draft),
    ...wordsOf(draft),
    ...(stage !== null && { stage }),
    model: model ?? PLACEHOLDER_MODEL,
    features: features ?? rawFeatures,
    training: trainingOf(draft, features),
    aggregation: aggregationOf(draft),
    evaluation: { ...draft.base?.evaluation, localFraction: numberOf(rules.localPercent) / 100 },
    ...(rules.logWitnesses !== null && { logWitnesses: rules.logWitnesses }),
  };
  const parsed = newTaskSchema.safeParse(raw);
  if (!parsed.success) {
    for (const { path, sentence } of fieldErrors(parsed.error)) {
      const isDerived = path.startsWith("model") && model === null;
      const isKnown = path.startsWith("features") && features === null;
      if (!isDerived && !isKnown) {
        const place = placeOf(path, places);
        add({ ...place, sentence, isMissing: false, ...mendsOf(place.field, draft) });
      }
    }
  }
  problems.sort((a, b) => a.part - b.part);
  const preview = parsed.success ? parsed.data : null;
  return { task: problems.length === 0 ? preview : null, preview, features, model, problems };
}

/** Takes the place of a model that cannot be built yet; what is wrong with it is not reported. */
const PLACEHOLDER_MODEL = { format: "tfjs-layers", inputShape: [1], layers: [] };

/** Stands in a preview for words that are not there yet. `missingOf` names them, so no task has it. */
const TO_BE_WRITTEN = "still to be written";

/** What the version before says stays word for word unless the person changed it (K5). */
function wordsOf({ about, base }: Draft): Record<string, unknown> {
  const before = base === null ? null : aboutOfTask(base);
  const kept = (name: keyof DraftAbout) => before !== null && about[name] === before[name];
  const [one = "row", many = "rows"] = nounsOf(about.noun) ?? [];
  const aim = about.purpose
    .trim()
    .replace(/[.!]+$/, "")
    .replace(/^to\s+/i, "");
  const contact = about.contact.trim();
  // A purpose that the version before did not state is an answer to the page, and no reason to rewrite its heading.
  const hasNewAim = base === null || (base.purpose !== undefined && !kept("purpose"));
  return {
    invitation: hasNewAim
      ? `Help a model ${aim || "..."}, and keep your ${many} to yourself`
      : withNoun(base.invitation, base.exampleNoun.many, many),
    learns: hasNewAim ? `to ${aim || "..."}` : base.learns,
    exampleNoun: { one, many },
    purpose: (kept("purpose") ? base?.purpose : aim) || TO_BE_WRITTEN,
    intendedUse: about.intendedUse.trim() || TO_BE_WRITTEN,
    notFor: about.notFor.trim() || TO_BE_WRITTEN,
    ...(contact !== "" && { contact }),
    ...(base?.title !== undefined && { title: base.title }),
    ...(base?.dataCard !== undefined && { dataCard: base.dataCard }),
  };
}

/** The heading with another word for the rows, if the old one is in it. */
function withNoun(invitation: string, before: string, after: string): string {
  const words = invitation.split(before);
  return words.length === 2 ? words.join(after) : invitation;
}

/** The input of the page for each path of the schema. The first that fits is taken. */
const PLACES: readonly (readonly [path: RegExp, part: DraftPart, field: string])[] = [
  [/^slug/, 7, "slug"],
  [/^(invitation|learns|purpose)/, 7, "purpose"],
  [/^exampleNoun/, 7, "noun"],
  [/^intendedUse/, 7, "intendedUse"],
  [/^notFor/, 7, "notFor"],
  [/^contact/, 7, "contact"],
  [/^stage/, 5, "stage"],
  [/^model/, 3, "model"],
  [/^training\.epochs/, 5, "epochs"],
  [/^training\.batchSize/, 5, "batchSize"],
  [/^training\.optimizer\.learningRate/, 5, "learningRate"],
  [/^training\.optimizer\.momentum/, 5, "momentum"],
  [/^training\.proximalMu/, 5, "proximalMu"],
  [/^training\.loss/, 5, "huberDelta"],
  [/^training\.classWeights/, 5, "classWeights"],
  [/^aggregation\.goal/, 5, "goal"],
  [/^aggregation\.overSelection/, 5, "overSelection"],
  [/^aggregation\.cohortSizeMin/, 5, "cohortSizeMin"],
  [/^aggregation\.cohortSizeMax/, 5, "goal"],
  [/^aggregation\.graph/, 5, "cohortSizeMin"],
  [/^aggregation\.clipNormL2/, 5, "clipNormL2"],
  [/^aggregation\.weightCap/, 5, "weightCap"],
  [/^aggregation\.ring/, 5, "ring"],
  [/^aggregation\.strategy/, 5, "strategy"],
  [/^aggregation\.deadlines\.recruitingMs/, 5, "joinS"],
  [/^aggregation\.deadlines\.trainingMs/, 5, "trainS"],
  [/^aggregation\.deadlines\.(sharingMs|confirmingMs|unmaskingMs)/, 5, "keysS"],
  [/^aggregation\.deadlines/, 5, "sendS"],
  [/^evaluation/, 5, "localPercent"],
  [/^logWitnesses/, 5, "logWitnesses"],
];

function placeOf(path: string, columns: readonly PlacedColumn[]): Pick<DraftProblem, "part" | "field"> {
  const inColumn = /^features\.columns\.(\d+)(?:\.(\w+)(?:\.(\d))?)?/.exec(path);
  if (inColumn !== null) {
    const place = columns[Number(inColumn[1])];
    if (place !== undefined) {
      return { part: 2, field: `column.${place.at}.${fieldOf(inColumn[2] ?? "name", inColumn[3])}` };
    }
  }
  const label = columns.find(({ isLabel }) => isLabel);
  if (label !== undefined && /^features\.(label|classes)/.test(path)) {
    const [, name = "categories", end] = /^features\.label\.(\w+)(?:\.(\d))?/.exec(path) ?? [];
    return { part: 2, field: `column.${label.at}.${fieldOf(name, end)}` };
  }
  // Of a list, the whole; of a channel, its field.
  const own = /^features\.(channels\.\d+\.\w+|\w+)/.exec(path);
  if (own !== null) return { part: 2, field: own[1] as string };
  const place = PLACES.find(([known]) => known.test(path));
  return place === undefined ? { part: 8, field: "task" } : { part: place[1], field: place[2] };
}

/** A ring of 16 bits is refused for what one of 32 holds. */
function mendsOf(field: string, draft: Draft): Pick<DraftProblem, "mends"> {
  if (field !== "ring" || rulesOf(draft).ring === "32") return {};
  return { mends: [{ type: "rules", rules: { ring: "32" }, words: "Take 32 bits" }] };
}

function fieldOf(name: string, index: string | undefined): string {
  if (name === "range") return index === "1" ? "to" : "from";
  return name === "type" ? "use" : name === "input" ? "use" : name;
}

/** Classes of the label in the order of the model's outputs; none if it is a number. */
export function draftClasses(draft: Draft): readonly string[] {
  if (draft.data.kind === "pictures") return named(draft.data.classes);
  const label = labelOf(draft);
  if (label === null) return [];
  const fields = fieldsOfColumn(label);
  return fields.type === "category" ? categoriesOf(fields) : [];
}
