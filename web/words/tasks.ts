import type { JoinTokenView } from "#shared/protocol/access-api.ts";
import type { RunView, TaskView } from "#shared/protocol/api.ts";
import type { EffectiveSettings } from "#shared/task/effective-settings.ts";
import { classesOf, targetOf } from "#shared/task/target.ts";
import type { Task } from "#shared/task/task.ts";
import { countInWords, formatCount, formatDay, plural } from "./format.ts";
import { committedWords } from "./waiting.ts";
import { demandWords } from "./witnesses.ts";

/* Words of the list of tasks and of a task's page. */

export function taskTitle({ title, slug }: Pick<Task, "title" | "slug">): string {
  return title ?? slug;
}

/** "table to two classes", "series to six classes", "table to a number" */
export function taskKind({ features }: Pick<Task, "features">): string {
  const from = { tabular: "table", image: "pictures", series: "series" }[features.kind];
  if (targetOf(features).kind === "number") return `${from} to a number`;
  return `${from} to ${countInWords(classesOf(features).length)} classes`;
}

/** "on 640 held-out rows and on devices" */
export function judgedWords({ heldOut }: Pick<TaskView, "heldOut">): string {
  return heldOut?.isUsed === true
    ? `judged on ${formatCount(heldOut.rowCount)} held-out rows and on devices`
    : "judged on devices alone";
}

export function judgedShort({ heldOut }: Pick<TaskView, "heldOut">): string {
  return heldOut?.isUsed === true ? "held out, on devices" : "on devices";
}

export function stageWords({ stage }: Pick<Task, "stage">): string | null {
  if (stage === undefined) return null;
  return stage === "in-earnest" ? "in earnest" : "trying out";
}

export function tasksLead(views: readonly TaskView[]): string {
  if (views.length === 0) return "Nothing can be learnt yet.";
  const open = views.filter(({ activeRunId }) => activeRunId !== null).length;
  const archived = views.filter((view) => view.archived != null).length;
  const runs =
    open === 0 ? "none has an open run" : `${countInWords(open)} ${open === 1 ? "has" : "have"} an open run`;
  const off = archived === 0 ? "" : `, ${countInWords(archived)} ${archived === 1 ? "is" : "are"} archived`;
  return `${plural(views.length, "task")}; ${runs}${off}.`;
}

export type Joining = EffectiveSettings["joining"];

/** What a change means, before it is made. */
export function joiningQuestion(to: Joining): string {
  return to === "public"
    ? "Anyone who reaches this coordinator can then read the task, its models and its published sums, and take part. What they have read cannot be taken back."
    : "Devices that are connected stay until they log in again. After that they need a join token. Models and sums that others have read cannot be taken back.";
}

export const JOINING_NOTE =
  "This page shows counts, never a list of devices. The database has the key of each device that joined, and when it did.";

/** Who may take part, for someone who may not change it. */
export function joiningSentence(joining: Joining): string {
  return joining === "public"
    ? "Anyone with the address. The task stands in the public list."
    : "Only those who hold a join token. The task is in no public list.";
}

/** "Archived today by k7f2", "Archived on 3 August by k7f2" */
export function archivedWords(
  { at, by }: NonNullable<TaskView["archived"]>,
  nowUnixMs: number = Date.now(),
): string {
  const day = formatDay(at, nowUnixMs);
  return `Archived ${/^\d/.test(day) ? `on ${day}` : day} by ${by}`;
}

/** The sentence under a task's name. */
export function taskLead(view: TaskView, runs: readonly RunView[]): string {
  const { task, settings, archived, deviceCount } = view;
  if (archived != null) return `${archivedWords(archived)}. Nobody can join. Models, log and figures stay.`;
  const open =
    settings?.joining === "invitation" ? "open to those invited" : "open to anyone with the address";
  const here =
    deviceCount === 0
      ? "no device is connected"
      : `${plural(deviceCount, "device is", "devices are")} connected`;
  return `Version ${task.version} is ${open}, and ${here}. ${runsLead(runs)}`;
}

function runsLead(runs: readonly RunView[]): string {
  const [newest] = runs;
  if (newest === undefined) return "No run has been launched.";
  const active =
    runs.find(({ state }) => state === "running" || state === "waiting" || state === "paused") ?? newest;
  const committed = committedWords(active);
  switch (active.state) {
    case "waiting":
      return `Run ${active.number} waits for devices; ${committed}.`;
    case "completed":
    case "failed":
      return `Run ${active.number} has ended, ${committed}.`;
    default:
      return active.currentRound === null
        ? `Run ${active.number} is open; ${committed}.`
        : `Run ${active.number} is in round ${active.currentRound.round}; ${committed}.`;
  }
}

/** "50 places were made: 41 are taken, 9 are open, the last until 31 July. Which device took which is not kept." */
export function placesSentence(tokens: readonly JoinTokenView[], slug: string, nowUnixMs: number): string {
  const own = tokens.filter(({ task }) => task === slug);
  if (own.length === 0)
    return "No join token names this task yet. One for all tasks of its project works here too.";
  const [made, taken] = [totalOf(own, ({ uses }) => uses), totalOf(own, ({ used }) => used)];
  const live = own.filter(({ isRevoked, endsAt }) => !isRevoked && new Date(endsAt).getTime() > nowUnixMs);
  const open = totalOf(live, ({ uses, used }) => uses - used);
  const last = live
    .map(({ endsAt }) => endsAt)
    .toSorted()
    .at(-1);
  const until = open === 0 || last === undefined ? "" : `, the last until ${formatDay(last, nowUnixMs)}`;
  return `${plural(made, "place was", "places were")} made: ${formatCount(taken)} ${taken === 1 ? "is" : "are"} taken, ${formatCount(open)} ${open === 1 ? "is" : "are"} open${until}. Which device took which is not kept.`;
}

function totalOf<One>(all: readonly One[], of: (one: One) => number): number {
  return all.reduce((sum, one) => sum + of(one), 0);
}

export function publishedWords({ createdAt, createdBy }: Pick<TaskView, "createdAt" | "createdBy">): string {
  return `${formatDay(createdAt)}, by ${createdBy}`;
}

interface Definition {
  readonly term: string;
  readonly text: string;
}

const definition = (term: string, text: string | undefined): Definition[] =>
  text === undefined || text === "" ? [] : [{ term, text }];

/** What a task says of itself, in two columns. */
export function cardOf(task: Task): readonly [readonly Definition[], readonly Definition[]] {
  const { features, exampleNoun } = task;
  const target = targetOf(features);
  const learnt =
    target.kind === "number"
      ? `${target.title}, ${target.range[0]} to ${target.range[1]} ${target.unit}`
      : `${features.kind === "image" ? "the class" : (features.label.title ?? features.label.name)}: ${listed(target.classes)}`;
  return [
    [
      ...definition("Purpose", task.purpose),
      ...definition("Learns", task.learns),
      ...definition("Intended use", task.intendedUse),
      ...definition("Not for", task.notFor),
      ...definition("A row is", `one ${exampleNoun.one}`),
      ...definition("Questions to", task.contact),
      ...definition("Data that judge", task.dataCard),
    ],
    [
      ...definition("Asked for", askedFor(task)),
      ...definition("Learnt", learnt),
      ...protectedLines(task),
      ...definition("May be missing", missingNames(task)),
      ...definition("In earnest", earnestWords(task)),
    ],
  ];
}

function askedFor({ features }: Task): string {
  if (features.kind === "image")
    return `${features.channels === 3 ? "colour" : "grey"} pictures, brought to ${features.width} by ${features.height} pixels`;
  if (features.kind === "series")
    return `${formatCount(features.length)} steps of ${listed(features.channels.map(({ name, title = name }) => title))}`;
  return listed(
    features.columns.map(({ name, title = name, input }) => (input ? title : `${title} (not learnt from)`)),
  );
}

/** A line for each protected column: whether the model gets it, and why it is asked for. */
function protectedLines({ features }: Task): Definition[] {
  const columns = features.kind === "tabular" ? features.columns.filter((column) => column.protected) : [];
  if (columns.length === 0) return definition("Protected", "nothing");
  return columns.map(({ name, title = name, input, why }) => ({
    term: `Protected: ${title}`,
    text: `${input ? "also an input" : "never an input"}${why === undefined ? "" : `; ${why}`}`,
  }));
}

function missingNames({ features }: Task): string {
  if (features.kind !== "tabular") return "nothing";
  const names = features.columns
    .filter(({ missing }) => missing !== undefined)
    .map(({ name, title = name }) => title);
  return names.length === 0 ? "nothing" : listed(names);
}

function earnestWords(task: Task): string {
  const least = `at least ${task.aggregation.cohortSizeMin} in every sum`;
  if (task.stage === undefined) return `not said; ${least}`;
  return task.stage === "in-earnest" ? `yes, ${least}` : `no, for trying out; ${least}`;
}

function listed(names: readonly string[]): string {
  return names.length > 16
    ? `${names.slice(0, 15).join(", ")} and ${formatCount(names.length - 15)} more`
    : names.join(", ");
}

/** What a device agreed to, in short. */
export function agreedOf(task: Task, parameterCount: number): Definition[] {
  const { training, aggregation, evaluation, features } = task;
  const rate = training.optimizer.learningRate;
  const weights =
    training.classWeights === undefined
      ? ""
      : `; ${training.classWeights.map((weight, at) => `“${features.classes?.[at]}” weighs ${weight}`).join(", ")}`;
  return [
    {
      term: "Asked for",
      text:
        features.kind === "tabular"
          ? `${plural(features.columns.length, "column")} and the label, with ranges and categories`
          : askedFor(task),
    },
    {
      term: "Model",
      text: `${plural(task.model.layers.length, "layer")}, ${formatCount(parameterCount)} weights`,
    },
    {
      term: "Training",
      text: `at most ${plural(training.epochs, "pass", "passes")}, ${training.batchSize} rows a step, ${training.optimizer.kind === "adam" ? "Adam" : "SGD"} at ${rate}${weights}`,
    },
    {
      term: "In a sum",
      text: `${formatCount(aggregation.goal)} wanted, ${formatCount(aggregation.cohortSizeMin)} at least`,
    },
    { term: "Longest change", text: String(aggregation.clipNormL2) },
    { term: "Rows that count", text: `at most ${formatCount(aggregation.weightCap)} of a device` },
    {
      term: "Kept back",
      text: `${Math.round(100 * evaluation.localFraction)} % of a device’s rows, to judge the model`,
    },
    { term: "Noise", text: "none" },
    {
      term: "Witnesses of the log",
      text:
        task.logWitnesses === undefined
          ? "none demanded"
          : `${demandWords(task.logWitnesses)} must have signed`,
    },
  ];
}

export const ARCHIVE_NOTE =
  "Takes the task off the list and lets nobody in. In this order: an open run ends after the round it is in, queued runs are cancelled, devices are told. Models, log and figures stay. A new version takes it up again.";
