import type { RunView, TaskView } from "#shared/protocol/api.ts";
import { sparseNumbersOf } from "#shared/secagg/threshold.ts";
import { agreedGraphOf, graphPlanOf, isSharded, isSparse } from "#shared/task/graph-plan.ts";
import type { ModelSpec } from "#shared/task/model.ts";
import type { Task } from "#shared/task/task.ts";
import { formatBits, formatCount, formatDuration, formatHash, plural } from "../../words/format.ts";

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

/** The rules of a run as terms; those of the task stand once its version is fetched. */
export function Rules({ run, view }: { readonly run: RunView; readonly view: TaskView | null }) {
  const { training } = run;
  const plan = view?.task.aggregation;
  const rows: [string, string][] = [
    ["Rounds planned", formatCount(run.roundsPlanned)],
    ...(plan === undefined
      ? []
      : ([...graphRows(plan), ["Needed to open", neededToOpen(plan)]] satisfies [string, string][])),
    ...(view === null || plan === undefined
      ? []
      : ([
          ["Model", `${modelShape(view.task.model)}, ${formatCount(view.parameterCount)} weights`],
          [
            "Vector",
            `${formatCount(view.vectorLength)} numbers, ${plan.ring}-bit ring, ${formatBits(view.bitsPerWeight)} a weight`,
          ],
          ["Longest update, L2", String(plan.clipNormL2)],
          ["Rows that count, at most", formatCount(plan.weightCap)],
          ["Train at most", formatDuration(plan.deadlines.trainingMs / 1_000)],
          ["Send at most", formatDuration(plan.deadlines.collectingMs / 1_000)],
        ] satisfies [string, string][])),
    [
      "Local training",
      `${plural(training.epochs, "epoch")}, batch ${training.batchSize}, ${training.optimizer.kind} at ${training.optimizer.learningRate}`,
    ],
    ...(training.proximalMu > 0
      ? ([["Proximal μ", String(training.proximalMu)]] satisfies [string, string][])
      : []),
    ["Seed", String(run.seed)],
    ["Launched by", `${run.launchedBy}, not checked`],
    ["Task", `${run.task}, version ${run.taskVersion}`],
  ];
  return (
    <dl className="facts">
      {rows.map(([term, value]) => (
        <div key={term}>
          <dt>{term}</dt>
          <dd>{value}</dd>
        </div>
      ))}
      <div>
        <dt>Rules fingerprint</dt>
        <dd>
          <code>{formatHash(run.configHash)}</code>
        </dd>
      </div>
    </dl>
  );
}

/** How large a sum may be, and how a round is split into several. */
function graphRows(plan: TaskView["task"]["aggregation"]): [string, string][] {
  const graph = graphPlanOf(plan);
  const grouped = isSharded(graph);
  return [
    ...(grouped
      ? ([["Groups", `of about ${plural(graph.size, "device")}, each a sum`]] satisfies [string, string][])
      : []),
    [grouped ? "Least group" : "Least cohort", plural(plan.cohortSizeMin, "device")],
    [grouped ? "Largest group" : "Largest cohort", plural(plan.cohortSizeMax, "device")],
  ];
}

/** "64-32-10": the width of the input and of every layer that has one. */
function modelShape(model: ModelSpec): string {
  const widths = model.layers.flatMap((layer) => {
    if (layer.className === "Dense") return [String(layer.units)];
    return layer.className === "Conv2D" ? [`${layer.filters}c`] : [];
  });
  return [model.inputShape.reduce((product, size) => product * size, 1), ...widths].join("-");
}
