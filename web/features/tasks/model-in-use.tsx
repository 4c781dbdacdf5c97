"use client";
import Link from "next/link";
import type { ReactNode } from "react";
import type { RunView, TaskView } from "#shared/protocol/api.ts";
import type { Measures } from "#shared/stats/measure.ts";
import { headlineOf } from "#shared/task/measures/index.ts";
import { modelUrl } from "../../data/api.ts";
import { Section } from "../../ui/section.tsx";
import { EmptyNote } from "../../ui/states.tsx";
import { formatHash } from "../../words/format.ts";
import { headlineWords } from "../../words/measures.ts";
import { figuresInUse, inUseSentence } from "../../words/models.ts";
import { IntervalBar } from "./interval-bar.tsx";

/** The model that browsers load today. */
export function ModelInUse({ view, runs }: { readonly view: TaskView; readonly runs: readonly RunView[] }) {
  const { task, inUse, measuredOn, heldOut } = view;
  if (inUse == null) {
    return (
      <Section id="model" title="Model in use" note="What browsers load today.">
        <EmptyNote>
          {view.archived == null
            ? "None yet. The first committed round of a run makes one."
            : "None. No round had committed when the task was archived."}
        </EmptyNote>
      </Section>
    );
  }
  const measures = figuresInUse(view);
  const run = runs.find(({ runId }) => runId === inUse.runId);
  const ofRounds = run?.deviceHistory ?? [];
  const own = ofRounds.find(({ round }) => round === inUse.round);
  const onDevices = (inUse.alias === null ? ofRounds.at(-1) : own)?.measures ?? null;
  const { many } = task.exampleNoun;
  const isOther = measuredOn !== undefined && heldOut != null && measuredOn !== heldOut.hash;
  // Figures of another held-out set are not drawn on the axis of today's.
  const most = axisEnd(isOther ? [onDevices] : [measures, onDevices]);
  return (
    <Section id="model" title="Model in use" note="What browsers load today.">
      <p className="read mb-4">
        {inUseSentence(inUse)} It is from <Link href={`/runs/${inUse.runId}`}>run {inUse.runNumber}</Link>.
      </p>
      <table className="records max-w-3xl">
        <caption className="sr-only">How the model in use was judged</caption>
        <thead>
          <tr>
            <th scope="col">Judged on</th>
            <th scope="col">Figure</th>
            <th scope="col" className="w-1/4">
              With its 95 % interval
            </th>
            <th scope="col">Who says so</th>
          </tr>
        </thead>
        <tbody>
          {measures !== null && (
            <JudgedRow
              {...{ measures, many, most }}
              isOther={isOther}
              judgedOn={
                <>
                  {isOther ? "another held-out set" : "held-out set"}
                  {measuredOn !== undefined && (
                    <>
                      {" "}
                      <code>{formatHash(measuredOn, 8)}</code>
                    </>
                  )}
                </>
              }
              who="the coordinator"
            />
          )}
          <JudgedRow
            measures={onDevices}
            {...{ many, most }}
            judgedOn="rows kept back on devices"
            who="the sum of the devices of a round; nobody can check each"
          />
        </tbody>
      </table>
      <p className="mt-4 flex flex-wrap gap-5 text-sm">
        <Link href={`/models/${task.slug}`}>All versions</Link>
        <a href={`/join/${task.slug}`}>Try it</a>
        <a href={modelUrl(inUse.modelHash)} download>
          Download
        </a>
      </p>
    </Section>
  );
}

function JudgedRow(props: {
  readonly measures: Measures | null;
  readonly many: string;
  readonly most: number;
  readonly judgedOn: ReactNode;
  readonly who: string;
  readonly isOther?: boolean;
}) {
  const { measures, many, most, judgedOn, who, isOther = false } = props;
  const headline = headlineOf(measures);
  return (
    <tr>
      <td data-label="judged on">{judgedOn}</td>
      <td data-label="figure" className={isOther || headline === null ? "text-ink-3" : "text-sum"}>
        {headlineWords(measures, many) ?? "with the sum of the next round"}
      </td>
      <td data-label="95 % interval">
        {headline !== null && !isOther && (
          <IntervalBar measure={headline.measure} most={most} shape="ring" colour="sum" />
        )}
        {isOther && <span className="text-ink-3">not on one axis with today’s</span>}
      </td>
      <td data-label="who says so">{who}</td>
    </tr>
  );
}

/** 1 for shares; for figures in a unit, the end of the longest interval. */
function axisEnd(all: readonly (Measures | null)[]): number {
  const headlines = all.flatMap((measures) => headlineOf(measures) ?? []);
  const isShare = headlines.every(({ spec }) => spec.unit === "share");
  return isShare ? 1 : Math.max(...headlines.map(({ measure }) => measure.value + measure.halfWidth95));
}
