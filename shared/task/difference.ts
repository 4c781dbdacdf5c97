import { canonicalJson, type Json } from "../codec/canonical-json.ts";
import type { Column } from "./features.ts";
import { modelTensors } from "./model.ts";
import type { Task } from "./task.ts";

/*
 * What a version changes, in words. Pages and the command show it before someone publishes, and beside each version after.
 */

/**
 * How one version of a task differs from the one before, as sentences in the order of the task's parts. Empty only if
 * nothing differs except slug and version.
 */
export function taskDifference(before: Task, after: Task): readonly string[] {
  const { slug: _s, version: _v, features: was, model: oldModel, ...rest } = before;
  const { slug: _t, version: _w, features, model, ...now } = after;
  return [
    ...changesOf("", rest, now)
      .filter(({ path }) => TEXTS.has(top(path)))
      .map(leafSentence),
    ...featureSentences(was, features),
    ...modelSentences(oldModel, model),
    ...changesOf("", rest, now)
      .filter(({ path }) => !TEXTS.has(top(path)))
      .map(leafSentence),
  ];
}

type Features = Task["features"];
type Channel = Extract<Features, { kind: "series" }>["channels"][number];
type Model = Task["model"];

interface Change {
  /** Names joined by dots. */
  readonly path: string;
  /** Undefined: the field is absent. */
  readonly was: unknown;
  readonly is: unknown;
}

/** What participants read. It comes first. */
const TEXTS: ReadonlySet<string> = new Set([
  "title",
  "invitation",
  "learns",
  "exampleNoun",
  "purpose",
  "intendedUse",
  "notFor",
  "contact",
  "stage",
  "dataCard",
]);
const top = (path: string): string => path.split(".")[0] ?? path;

/** The fields that differ, as deep as both have objects. Lists count as one value. */
function changesOf(path: string, was: unknown, is: unknown): Change[] {
  if (same(was, is)) return [];
  if (!isRecord(was) || !isRecord(is)) return [{ path, was, is }];
  const names = [...new Set([...Object.keys(was), ...Object.keys(is)])];
  return names.flatMap((name) => changesOf(path === "" ? name : `${path}.${name}`, was[name], is[name]));
}

const NAMES: Readonly<Record<string, string>> = {
  title: "Its name in lists",
  invitation: "The heading for participants",
  learns: "What it learns",
  "exampleNoun.one": "The name of a row",
  "exampleNoun.many": "The name of rows",
  purpose: "The purpose",
  intendedUse: "The intended use",
  notFor: "“Not for”",
  contact: "Who answers questions",
  stage: "The stage",
  dataCard: "The data card",
  "training.epochs": "Epochs in a round",
  "training.batchSize": "The batch size",
  "training.optimizer.kind": "The optimizer",
  "training.optimizer.learningRate": "The learning rate",
  "training.optimizer.momentum": "The momentum",
  "training.proximalMu": "The proximal term",
  "training.loss": "The loss",
  "training.loss.kind": "The loss",
  "training.loss.delta": "The bend of Huber's loss",
  "training.classWeights": "The weights of the classes",
  "aggregation.goal": "The updates that a round aims at",
  "aggregation.overSelection": "Over-selection",
  "aggregation.cohortSizeMin": "The least cohort",
  "aggregation.cohortSizeMax": "The largest cohort",
  "aggregation.securityModel": "The security model",
  "aggregation.clipNormL2": "The clip",
  "aggregation.weightCap": "The rows that count for one device",
  "aggregation.ring": "Bits of a number on the wire",
  "aggregation.strategy.kind": "The strategy",
  "aggregation.strategy.serverLearningRate": "The coordinator's learning rate",
  "aggregation.strategy.momentum": "The coordinator's momentum",
  "aggregation.strategy.beta1": "The strategy's decay β1",
  "aggregation.strategy.beta2": "The strategy's decay β2",
  "aggregation.strategy.tau": "The strategy's adaptivity τ",
  "aggregation.graph": "The graph of devices",
  "aggregation.graph.kind": "The graph of devices",
  "aggregation.graph.size": "The devices in a shard",
  "aggregation.graph.corruptShare": "The share of devices that may collude",
  "aggregation.graph.dropoutShare": "The share of devices that may drop out",
  "aggregation.recruitingMinMs": "The least time to recruit",
  "aggregation.deadlines.recruitingMs": "The time to recruit",
  "aggregation.deadlines.trainingMs": "The time to train",
  "aggregation.deadlines.sharingMs": "The time to share keys",
  "aggregation.deadlines.collectingMs": "The time to send",
  "aggregation.deadlines.confirmingMs": "The time to confirm",
  "aggregation.deadlines.unmaskingMs": "The time to open",
  "aggregation.deadlines.graceMs": "The time for late shares",
  "evaluation.localFraction": "The share of rows that devices keep back",
  "evaluation.heldOutFraction": "The share of a data set that is held out",
  logWitnesses: "The witnesses of the public log",
  "logWitnesses.keys": "The witnesses of the public log",
  "logWitnesses.needed": "The number of witnesses that must have signed the public log",
};

const UNITS: Readonly<Record<string, string>> = {
  "aggregation.ring": " bits",
  "aggregation.weightCap": " rows",
};

/** What people call a field outside features and model; undefined if it has no name. */
export function nameOfField(path: string): string | undefined {
  return NAMES[path];
}

function leafSentence({ path, was, is }: Change): string {
  const name = nameOfField(path) ?? path;
  const inUnit = (value: unknown) =>
    path.endsWith("Ms") ? `${Number(value) / 1_000} s` : `${shown(value)}${UNITS[path] ?? ""}`;
  if (is === undefined) return `${name} is no longer said; it was ${inUnit(was)}.`;
  if (was === undefined) return `${name} is ${inUnit(is)}; nothing was said before.`;
  return `${name} is ${inUnit(is)}, was ${inUnit(was)}.`;
}

function featureSentences(was: Features, is: Features): string[] {
  if (was.kind !== is.kind) return [`Takes ${KINDS[is.kind]}, no longer ${KINDS[was.kind]}.`];
  if (was.kind === "tabular" && is.kind === "tabular") {
    const { columns: oldColumns, ...old } = was;
    const { columns, ...rest } = is;
    return [...columnSentences(oldColumns, columns), ...changesOf("", old, rest).map(featureSentence)];
  }
  if (was.kind === "series" && is.kind === "series") {
    const { channels: oldChannels, ...old } = was;
    const { channels, ...rest } = is;
    return [
      ...columnSentences(oldChannels.map(asColumn), channels.map(asColumn)),
      ...changesOf("", old, rest).map(featureSentence),
    ];
  }
  return changesOf("", was, is).map(featureSentence);
}

/** What is measured at each step of a series differs as columns do. */
function asColumn(channel: Channel): Column {
  return { ...channel, type: "numeric", protected: false, input: true };
}

const KINDS: Readonly<Record<Features["kind"], string>> = {
  tabular: "rows of a table",
  image: "pictures",
  series: "series",
};

function featureSentence(change: Change): string {
  const { path, was, is } = change;
  if (path === "classes" && Array.isArray(was) && Array.isArray(is)) {
    return `The classes ${membersWords(was, is)}.`;
  }
  const part = path.replaceAll(".", " ");
  return leafSentence({
    ...change,
    path: path.startsWith("label.") ? `The label's ${part.slice(6)}` : `The ${part}`,
  });
}

/** What became of a list of names: all that went and came, and whether the others changed places. */
function membersWords(was: readonly unknown[], is: readonly unknown[]): string {
  const gone = was.filter((name) => !is.includes(name));
  const added = is.filter((name) => !was.includes(name));
  const kept = (names: readonly unknown[], others: readonly unknown[]) =>
    names.filter((name) => others.includes(name));
  const isMoved = !same(kept(was, is), kept(is, was));
  if (gone.length === 0 && added.length === 0) return `come in another order: ${listed(is)}`;
  return [
    `are ${shortened(is)}`,
    ...(gone.length > 0 ? [`no longer ${listed(gone)}`] : []),
    ...(added.length > 0 ? [`new is ${listed(added)}`] : []),
    ...(isMoved ? [`in another order: ${listed(is)}`] : []),
  ].join("; ");
}

function columnSentences(was: readonly Column[], is: readonly Column[]): string[] {
  const [before, after] = [byName(was), byName(is)];
  const sentences: string[] = [];
  for (const column of is) {
    const old = before.get(column.name);
    if (old === undefined) sentences.push(`Also asks for ${quoted(column.name)}: ${columnWords(column)}.`);
    else sentences.push(...columnChanges(old, column));
  }
  for (const { name } of was) if (!after.has(name)) sentences.push(`No longer asks for ${quoted(name)}.`);
  const kept = (columns: readonly Column[], others: ReadonlyMap<string, Column>) =>
    columns.filter(({ name }) => others.has(name)).map(({ name }) => name);
  if (!same(kept(was, after), kept(is, before))) sentences.push("The columns come in another order.");
  return sentences;
}

function byName(columns: readonly Column[]): ReadonlyMap<string, Column> {
  return new Map(columns.map((column) => [column.name, column]));
}

function columnWords(column: Column): string {
  const kind =
    column.type === "numeric"
      ? `a number ${rangeWords(column.range, column.unit)}`
      : `one of ${listed(column.categories)}`;
  return `${kind}${column.protected ? ", protected" : ""}${column.input ? "" : ", never an input"}`;
}

function columnChanges(was: Column, is: Column): string[] {
  const name = quoted(is.name);
  if (was.type !== is.type) return [`${name} is now ${columnWords(is)}; it was ${columnWords(was)}.`];
  return changesOf("", was, is).map((change) => columnSentence(name, change, is));
}

function columnSentence(name: string, { path, was, is }: Change, column: Column): string {
  switch (path) {
    case "range": {
      const unit = column.type === "numeric" ? column.unit : undefined;
      return `${name} goes ${rangeWords(is as number[], unit)}, was ${rangeWords(was as number[], unit)}.`;
    }
    case "categories": {
      return `The categories of ${name} ${membersWords(was as string[], is as string[])}.`;
    }
    case "protected":
      return is === true ? `${name} is protected now.` : `${name} is no longer protected.`;
    case "input":
      return is === true ? `${name} is an input of the model now.` : `${name} is no longer an input.`;
    case "missing":
      return is === undefined
        ? `A row without ${name} is left out now.`
        : `A missing ${name} becomes ${is === "middle" ? "the middle of its range" : "a category of its own"}.`;
    case "other":
      return is === undefined
        ? `A row with another ${name} is left out now.`
        : `Any other ${name} counts as ${shown(is)}.`;
    default:
      return leafSentence({ path: `The ${path.replaceAll(".", " ")} of ${name}`, was, is });
  }
}

function modelSentences(was: Model, is: Model): string[] {
  if (same(was, is)) return [];
  const weights = (model: Model) => modelTensors(model).parameterCount.toLocaleString("en");
  const layers = (model: Model) => model.layers.map(({ className }) => className).join(", ");
  const count = `The model has ${weights(is)} weights, had ${weights(was)}.`;
  const others = changesOf("", { ...was, layers: null }, { ...is, layers: null }).map((change) =>
    leafSentence({ ...change, path: `The model's ${change.path}` }),
  );
  if (layers(was) !== layers(is))
    return [`Its layers are ${layers(is)}; they were ${layers(was)}. ${count}`, ...others];
  const changed = is.layers.flatMap((layer, index) =>
    changesOf("", was.layers[index], layer).map((change) =>
      leafSentence({ ...change, path: `The ${change.path} of the layer ${quoted(layer.name)}` }),
    ),
  );
  return [...changed, ...(weights(was) === weights(is) ? [] : [count]), ...others];
}

function rangeWords(range: readonly number[], unit: string | undefined): string {
  return `from ${range[0]} to ${range[1]}${unit === undefined ? "" : ` ${unit}`}`;
}

function shown(value: unknown): string {
  if (typeof value === "string") return quoted(value);
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  if (Array.isArray(value)) return listed(value);
  if (!isRecord(value)) return value === undefined ? "absent" : canonicalJson(value as Json);
  return Object.entries(value)
    .map(([name, inner]) => (name === "kind" ? shown(inner) : `${name} ${shown(inner)}`))
    .join(", ");
}

const SHORTENED_MAX = 8;

/** Only for what is told in full beside it. */
function shortened(values: readonly unknown[]): string {
  const rest = values.length - SHORTENED_MAX;
  return rest <= 0 ? listed(values) : `${listed(values.slice(0, SHORTENED_MAX))} and ${rest} more`;
}

function listed(values: readonly unknown[]): string {
  return values.map(shown).join(", ");
}

const quoted = (text: string): string => `“${text}”`;

function same(left: unknown, right: unknown): boolean {
  if (left === undefined || right === undefined) return left === right;
  return canonicalJson(left as Json) === canonicalJson(right as Json);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
