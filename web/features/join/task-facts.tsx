import type { TaskSlice } from "#client/index.ts";
import { graphPlanOf, isSharded } from "#shared/task/graph-plan.ts";
import {
  capitalise,
  formatBits,
  formatBytes,
  formatCount,
  formatHash,
  formatSeconds,
  plural,
} from "../../words/format.ts";

/** The whole config that consent binds to, term by term. */
export function TaskFacts({ task: slice }: { readonly task: TaskSlice }) {
  const { task } = slice;
  const { aggregation, training, model, evaluation } = task;
  const layers = model.layers
    .map((layer) =>
      "units" in layer
        ? `${layer.className} ${layer.units}`
        : "filters" in layer
          ? `${layer.className} ${layer.filters}`
          : layer.className,
    )
    .join(", ");
  const { optimizer } = training;
  const graph = graphPlanOf(aggregation);
  const facts: readonly (readonly [string, string])[] = [
    ["Learns", task.learns],
    ["Model", `${layers}; ${plural(slice.parameterCount, "number")}`],
    [
      "Training, each round",
      `${plural(training.epochs, "pass", "passes")}, ${training.batchSize} at a time, ${optimizer.kind === "sgd" ? "SGD" : "Adam"} at ${optimizer.learningRate}`,
    ],
    ["Kept back to judge the model here", `${Math.round(evaluation.localFraction * 100)} %`],
    ["Fewest in a sum", `${formatCount(aggregation.cohortSizeMin)} devices, you among them`],
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
      "Of that for each number of the model",
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
    ["Judged on", task.dataCard],
    ["Fingerprint of all this", formatHash(slice.taskHash)],
  ];
  return (
    <dl className="facts">
      {facts.map(([term, value]) => (
        <div key={term}>
          <dt>{term}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
