import type { TaskSlice } from "#client/index.ts";
import { agreedGraphOf, graphPlanOf, isSharded, isSparse } from "#shared/cohort/graph-plan.ts";
import { sparseNumbersOf } from "#shared/cohort/threshold.ts";
import type { RunView, TaskView } from "#shared/protocol/api.ts";
import { classesOf, targetOf } from "#shared/task/target.ts";
import type { Task } from "#shared/task/task.ts";
import {
  capitalise,
  formatBits,
  formatBytes,
  formatCount,
  formatDuration,
  formatHash,
  formatSeconds,
  plural,
} from "./format.ts";
import { layersLine, sizesLine } from "./model.ts";
import { askedForSentence } from "./workshop-preview.ts";

/* The terms of a task, as a participant and as a researcher reads them. */

export type Fact = readonly [term: string, value: string];

/** All terms of the config that consent binds to. */
export function taskFacts(slice: TaskSlice): readonly Fact[] {
  const { task } = slice;
  const { aggregation, training, model, evaluation } = task;
  const graph = graphPlanOf(aggregation);
  return [
    ["Learns", task.learns],
    ["Asked for", capitalise(askedForSentence(task))],
    ["Model", `${layersLine(model)}; ${plural(slice.parameterCount, "number")}`],
    [
      "Training, each round",
      `${plural(training.epochs, "pass", "passes")}, ${training.batchSize} at a time, ${optimizerWords(training)}`,
    ],
    ["Loss", lossWords(task)],
    ...weightFacts(task),
    ["Pull towards the round's model (μ)", training.proximalMu === 0 ? "none" : String(training.proximalMu)],
    ["Held back to judge the model here", `${Math.round(evaluation.localFraction * 100)} %`],
    ["At least in a sum", `${formatCount(aggregation.cohortSizeMin)} devices, you among them`],
    [
      "Wanted in a round",
      `${formatCount(aggregation.goal)} devices, ${isSharded(graph) ? `in groups of about ${formatCount(graph.size)}` : `at most ${formatCount(aggregation.cohortSizeMax)}`}`,
    ],
    ["Change of the model, at most", `L2 norm ${aggregation.clipNormL2}`],
    [`${capitalise(task.exampleNoun.many)} that count, at most`, formatCount(aggregation.weightCap)],
    [
      "Masked list",
      `${formatCount(slice.vectorLength)} numbers of 32 bits, ${formatBytes(slice.maskedByteCount)}`,
    ],
    [
      "Bits of it per number of the model",
      `${formatBits(slice.bitsPerWeight)}${aggregation.ring === 16 ? "; mixed and rounded to 16 before masking" : ""}`,
    ],
    ["Keys and signatures, about", formatBytes(slice.keysByteCountAbout)],
    ["A phase lasts at most", formatSeconds(Math.max(...Object.values(aggregation.deadlines)) / 1_000)],
    [
      "Guards against",
      aggregation.securityModel === "active"
        ? "a coordinator that cheats in the protocol"
        : "a coordinator that follows the protocol",
    ],
    ["Noise", "none"],
    ...(task.dataCard === undefined ? [] : ([["Judged on", task.dataCard]] as const)),
    ["Fingerprint of all this", formatHash(slice.taskHash)],
  ];
}

function optimizerWords({ optimizer }: Task["training"]): string {
  const { kind, learningRate } = optimizer;
  if (kind === "adam") return `Adam at ${learningRate}`;
  return `SGD at ${learningRate}${optimizer.momentum === 0 ? "" : `, momentum ${optimizer.momentum}`}`;
}

function lossWords({ features, training: { loss } }: Task): string {
  const target = targetOf(features);
  if (target.kind === "classes") return "cross-entropy";
  return loss?.kind === "huber"
    ? `Huber's, straight beyond ${loss.delta} of the scaled ${target.title}`
    : "squared error";
}

function weightFacts({ features, training: { classWeights } }: Task): Fact[] {
  if (classWeights === undefined) return [];
  const weights = classesOf(features).map((name, at) => `${name} ${classWeights[at]}`);
  return [["How much a row of each class counts", weights.join(", ")]];
}

/** The rules of a run; the task's terms appear once its version is fetched. The rules' fingerprint is not among them. */
export function runRules(run: RunView, view: TaskView | null): readonly Fact[] {
  const { training } = run;
  return [
    ["Rounds planned", formatCount(run.roundsPlanned)],
    ...(view === null ? [] : taskRows(view)),
    [
      "Local training",
      `${plural(training.epochs, "epoch")}, batch ${training.batchSize}, ${training.optimizer.kind} at ${training.optimizer.learningRate}`,
    ],
    ["Proximal μ", training.proximalMu === 0 ? "none" : String(training.proximalMu)],
    [
      "Began with",
      run.beginsWith === undefined ? "a new model" : `version ${formatCount(run.beginsWith.version)}`,
    ],
    ["Seed", String(run.seed)],
    ["Launched by", run.launchedBy],
    ["Task", `${run.task}, version ${run.taskVersion}`],
  ];
}

function taskRows(view: TaskView): readonly Fact[] {
  const { aggregation: plan, model } = view.task;
  return [
    ...sumRows(plan),
    ["Model", `${sizesLine(model)}, ${formatCount(view.parameterCount)} weights`],
    [
      "Vector",
      `${formatCount(view.vectorLength)} numbers, ${plan.ring}-bit ring, ${formatBits(view.bitsPerWeight)} a weight`,
    ],
    ["Longest update, L2", String(plan.clipNormL2)],
    ["Rows that count, at most", formatCount(plan.weightCap)],
    ["Train at most", formatDuration(plan.deadlines.trainingMs / 1_000)],
    ["Send at most", formatDuration(plan.deadlines.collectingMs / 1_000)],
  ];
}

/** Limits on the size of a sum, how a round is split into several, and what opens one. */
function sumRows(plan: Task["aggregation"]): readonly Fact[] {
  const graph = graphPlanOf(plan);
  const [least, most] = [plural(plan.cohortSizeMin, "device"), plural(plan.cohortSizeMax, "device")];
  const needed: Fact = ["Needed to open", neededToOpen(plan)];
  if (!isSharded(graph)) return [["Least cohort", least], ["Largest cohort", most], needed];
  const groups: Fact = ["Groups", `of about ${plural(graph.size, "device")}, each a sum`];
  return [groups, ["Least group", least], ["Largest group", most], needed];
}

function neededToOpen(plan: Task["aggregation"]): string {
  const graph = graphPlanOf(plan);
  const cohort = isSharded(graph) ? "group" : "cohort";
  if (isSparse(graph)) {
    const numbers = sparseNumbersOf(plan.goal, agreedGraphOf(plan));
    if (numbers !== null) {
      return `${formatCount(numbers.threshold)} of the ${formatCount(numbers.degree)} around each device, for ${formatCount(plan.goal)}`;
    }
  }
  return plan.securityModel === "active" ? `more than ⅔ of the ${cohort}` : `more than half of the ${cohort}`;
}
