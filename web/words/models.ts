import type { RunView, TaskView } from "#shared/protocol/api.ts";
import type { ModelVersionView } from "#shared/protocol/registry.ts";
import type { MeasureSpec } from "#shared/task/measures/index.ts";
import { countInWords, plural } from "./format.ts";
import { type Comparison, compareHeadlines, figureCell, formatValue } from "./measures.ts";

/* Words of the pages of models: which version is in use, and what might take its place. Pure. */

/** "version 78, run 6", "none; version 10 is served, not promoted", "none: no round has been committed" */
export function inUseWords({ inUse }: Pick<TaskView, "inUse">): string {
  if (inUse == null) return "none: no round has been committed";
  return inUse.alias === null
    ? `none; version ${inUse.version} is served, not promoted`
    : `version ${inUse.version}, run ${inUse.runNumber}`;
}

export function modelsLead(views: readonly TaskView[]): string {
  if (views.length === 0) return "No task yet, so there is no model.";
  const served = views.filter(({ inUse }) => inUse != null);
  if (served.length === 0) return `${plural(views.length, "task")}; none has a model yet.`;
  const promoted = served.filter(({ inUse }) => inUse?.alias === "champion").length;
  const others = served.length - promoted;
  const first = `${plural(views.length, "task")}; ${countInWords(promoted)} ${promoted === 1 ? "has" : "have"} a promoted model`;
  return others === 0
    ? `${first}.`
    : `${first}, ${countInWords(others)} ${others === 1 ? "serves one that is" : "serve one that is"} not promoted.`;
}

/**
 * What is in use, and how the newest candidate stands beside it.
 *
 * @param candidate  Null if there is none, or if it is not known yet.
 */
export function modelLead(view: TaskView, candidate: ModelVersionView | null): string {
  const { inUse } = view;
  if (inUse == null) return "No model yet. The first committed round of a run makes one.";
  const first = inUseSentence(inUse);
  if (candidate === null || inUse.alias === null || candidate.version <= inUse.version) return first;
  return `${first} ${againstWords(candidate, inUse)}`;
}

function againstWords(candidate: ModelVersionView, inUse: NonNullable<TaskView["inUse"]>): string {
  const name = `Version ${candidate.version} is the newest candidate`;
  const comparison = comparedWith(candidate, inUse);
  switch (comparison) {
    case null:
      return `${name}; it is not judged yet.`;
    case "not comparable":
      return `${name}; it was judged on another held-out set.`;
    case "too close to tell":
      return `${name}; from its figure alone it is too close to tell which is better.`;
    default:
      return `${name}; its figure is ${comparison}.`;
  }
}

/**
 * The newest candidate beside the model in use, by figures alone: "version 93, accuracy 0.930 ± 0.026: worse", "version 34:
 * not judged yet", "is in use".
 */
export function candidateWords(
  candidate: Pick<ModelVersionView, "version" | "measures" | "measuredOn">,
  inUse: TaskView["inUse"] | null,
): string {
  const { version, measures } = candidate;
  const name = measures === null ? `version ${version}` : `version ${version}, ${figureCell(measures)}`;
  if (inUse == null || inUse.alias === null) return name;
  if (version === inUse.version) return "is in use";
  return `${name}: ${comparedWith(candidate, inUse) ?? "not judged yet"}`;
}

type Judged = Pick<ModelVersionView, "measures" | "measuredOn">;

/** Null until both are judged. By their intervals alone: where they overlap it is too close to tell. */
export function comparedWith(one: Judged, other: Judged): Comparison | "not comparable" | null {
  if (one.measures === null || other.measures === null) return null;
  // Figures from before sets had names may be of any.
  if (one.measuredOn === undefined || one.measuredOn !== other.measuredOn) return "not comparable";
  return compareHeadlines(one.measures, other.measures);
}

/** What a version is besides its number: "@champion, in use", "last of its run". */
export function standingWords({ aliases, isCandidate }: ModelVersionView): string {
  const names = aliases.map((alias) => (alias === "champion" ? "@champion, in use" : `@${alias}`));
  return [...names, ...(isCandidate && names.length === 0 ? ["last of its run"] : [])].join(", ");
}

/** In a list to choose from: "version 15, run 12, @challenger". */
export function versionTitle(model: ModelVersionView): string {
  return [`version ${model.version}`, `run ${model.runNumber}`, standingWords(model)]
    .filter((words) => words !== "")
    .join(", ");
}

/** A run in a list to choose from: "run 12, last version 15, @challenger". */
export function runTitle(model: ModelVersionView): string {
  return [
    `run ${model.runNumber}`,
    `last version ${model.version}`,
    model.aliases.map((alias) => `@${alias}`).join(", "),
  ]
    .filter((words) => words !== "")
    .join(", ");
}

/** Two versions that the address names: "15-12" is 15 against 12. Null if these are no two versions of the list. */
export function pairNamed(
  text: string | null,
  models: readonly Pick<ModelVersionView, "version">[],
): { readonly first: number; readonly second: number } | null {
  const [, second, first] = /^(\d{1,9})-(\d{1,9})$/.exec(text ?? "") ?? [];
  const find = (named: string | undefined) =>
    models.find(({ version }) => String(version) === named)?.version;
  const [one, other] = [find(first), find(second)];
  return one === undefined || other === undefined || one === other ? null : { first: one, second: other };
}

/** Which rows a short list has: those with a name, and the last of each run. */
export function isOfNote({ aliases, isCandidate }: ModelVersionView): boolean {
  return aliases.length > 0 || isCandidate;
}

/** "Version 78 is in use." */
export function inUseSentence({ version, alias }: NonNullable<TaskView["inUse"]>): string {
  return alias === null
    ? `No version is promoted. Until one is, the newest is served: version ${version}.`
    : `Version ${version} is in use.`;
}

/**
 * Figures of the model in use. The newest model has none for a while, and those of the one before it still tell something; a
 * promoted one has its own alone.
 */
export function figuresInUse({
  inUse,
  measures,
}: Pick<TaskView, "inUse" | "measures">): TaskView["measures"] {
  return inUse?.alias === "champion" ? inUse.measures : measures;
}

/**
 * What a run's newest model is to its task, for the run's page: "Version 12, of round 7: the candidate of this run. In use is
 * version 9 of run 1."
 */
export function candidateNote(
  { runId, candidate, newestVersion }: Pick<RunView, "runId" | "candidate" | "newestVersion">,
  inUse: TaskView["inUse"] | null,
): string {
  if (candidate == null) return `The model of round ${newestVersion ?? 0}, in the formats of other tools.`;
  const name = `Version ${candidate}, of round ${newestVersion ?? 0}: the candidate of this run.`;
  if (inUse == null) return name;
  const { version, runNumber, alias } = inUse;
  if (alias === null) {
    return version === candidate
      ? `${name} It is served, because no version is promoted.`
      : `${name} No version is promoted; version ${version} of run ${runNumber} is served.`;
  }
  if (version === candidate) return `${name} It is in use.`;
  const from = inUse.runId === runId ? "" : ` of run ${runNumber}`;
  return `${name} In use is version ${version}${from}.`;
}

/**
 * The figure of the version in use, as a line across a chart: "0.964 version 78, in use". Null if none was promoted, and if it
 * was measured on another held-out set than the chart's newest figures.
 */
export function championLine(
  inUse: TaskView["inUse"] | null,
  { name, unit }: Pick<MeasureSpec, "name" | "unit">,
  last: { readonly version: number; readonly measuredOn?: string } | null,
): { readonly y: number; readonly label: string } | null {
  const measure = inUse?.measures?.[name];
  if (inUse == null || inUse.alias === null || measure === undefined) return null;
  if (last?.measuredOn === undefined || inUse.measuredOn !== last.measuredOn) return null;
  // Its own figure stands at the end of the curve.
  if (last.version === inUse.version) return null;
  return { y: measure.value, label: `${formatValue(measure.value, unit)} version ${inUse.version}, in use` };
}

/** "Version 12, @champion, in use: round 20 of run 11, under version 3 of hmda; accuracy 0.861 ± 0.025." */
export function lineageSentence(slug: string, model: ModelVersionView): string {
  const { version, round, runNumber, taskVersion, measures } = model;
  const standing = standingWords(model);
  const name = standing === "" ? `Version ${version}` : `Version ${version}, ${standing}`;
  const figure = measures === null ? "not judged yet" : figureCell(measures);
  return `${name}: round ${round} of run ${runNumber}, under version ${taskVersion} of ${slug}; ${figure}.`;
}

/** "held-out set 3f9ac118, 714 rows"; rows of earlier sets are not known any more. @param present  The task's now. */
export function setNodeWords(hash: string, present: TaskView["heldOut"]): string {
  const name = `held-out set ${hash.slice(0, 8)}`;
  return present?.hash === hash ? `${name}, ${plural(present.rowCount, "row")}` : `${name}, replaced`;
}

/** The card of the held-out rows in one line: "714 rows; source: a registry; licence: CC0; collected: 2025; ground: ..." */
export function heldOutCardWords({ rowCount, card }: NonNullable<TaskView["heldOut"]>): string {
  const { source, licence, collected, ground } = card;
  return `${plural(rowCount, "row")}; source: ${source}; licence: ${licence}; collected: ${collected}; used on the ground of: ${ground}`;
}

/** Which version the files are of. */
export function takeNote({ version, alias }: NonNullable<TaskView["inUse"]>): string {
  return alias === null
    ? `Version ${version}, the newest. None is promoted.`
    : `Version ${version}, as it is in use.`;
}
