"use client";
import { present } from "#shared/kernel/assert.ts";
import type { TaskView } from "#shared/protocol/api.ts";
import type { ModelVersionView } from "#shared/protocol/registry.ts";
import { headlineOf } from "#shared/task/measures/index.ts";
import { curveOf, heldOutSeries, otherSetSeries } from "../../chart/figure-series.ts";
import { LineChart } from "../../chart/line-chart.tsx";
import { Section } from "../../ui/section.tsx";
import { EmptyNote } from "../../ui/states.tsx";
import { formatCount } from "../../words/format.ts";
import { axisTitle, chartNote } from "../../words/measures.ts";
import { championLine } from "../../words/models.ts";
import { bySet } from "../../words/run-curve.ts";
import { trendSentence } from "../../words/sentences.ts";

interface FiguresProps {
  readonly view: TaskView;
  /** Newest first. */
  readonly models: readonly ModelVersionView[];
}

/** The headline of every version in one chart, over all runs, beside the one in use. */
export function FiguresSection({ view, models }: FiguresProps) {
  const { task, inUse } = view;
  const history = models.toReversed().flatMap(({ version, measures, measuredOn }) => {
    if (measures === null) return [];
    return [{ round: version, measures, ...(measuredOn !== undefined && { measuredOn }) }];
  });
  const headline = headlineOf(history.at(-1)?.measures ?? null);
  const [first, last] = [models.at(-1)?.version ?? 1, models[0]?.version ?? 1];
  if (headline === null) {
    return (
      <Section id="figures" title="All versions" note="Each on the held-out rows.">
        <EmptyNote>No version is judged yet.</EmptyNote>
      </Section>
    );
  }
  const { spec } = headline;
  const stretches = bySet(history).map((stretch) => curveOf(stretch, spec));
  const points = stretches.pop() ?? [];
  const rows = `${formatCount(headline.measure.count)} held-out ${task.exampleNoun.many}`;
  const { round: version, ...judged } = present(history.at(-1), "a judged version");
  const line = championLine(inUse ?? null, spec, { version, ...judged });
  return (
    <Section id="figures" title="All versions" note="Every run of the task on one line, oldest first.">
      <LineChart
        title={spec.label}
        note={chartNote({ note: spec.note }, rows)}
        label={trendSentence(
          spec.label,
          points.map(({ measure }) => measure),
        )}
        fileName={`${task.slug}-versions-${spec.name}`}
        xTitle="version"
        yTitle={axisTitle(spec, headline.measure)}
        yMost={spec.unit === "share" ? 1 : undefined}
        x={[first, Math.max(first + 1, last)]}
        series={[
          ...stretches.map((earlier, index) => otherSetSeries(spec, earlier, index)),
          heldOutSeries(spec, points),
        ]}
        references={line === null ? [] : [line]}
      />
    </Section>
  );
}
