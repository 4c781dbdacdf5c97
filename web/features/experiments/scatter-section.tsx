"use client";
import type { ReactNode } from "react";
import type { TaskView } from "#shared/protocol/api.ts";
import { ScatterChart } from "../../chart/scatter-chart.tsx";
import { type SearchText, useFoundRuns, useRunNames } from "../../data/experiments.ts";
import { Section } from "../../ui/section.tsx";
import { EmptyNote } from "../../ui/states.tsx";
import { useAddress } from "../../ui/use-address.ts";
import { useInSight } from "../../ui/use-in-sight.ts";
import { paramTitle } from "../../words/experiment-columns.ts";
import { withinTask } from "../../words/experiment-filters.ts";
import {
  leftOutWords,
  needsSameRows,
  numberParams,
  pointWords,
  scatterOf,
  type UpChoice,
  upChoices,
  wantsLog,
} from "../../words/experiment-scatter.ts";
import { oneSet, scatterNote, setTitle } from "../../words/experiment-sets.ts";
import { type ExperimentRow, experimentRow } from "../../words/experiments.ts";
import { plural } from "../../words/format.ts";
import { axisTitle } from "../../words/measures.ts";
import { QueryGate } from "../shell/query-gate.tsx";

/** Points that one chart can show. */
const DRAWN_MAX = 500;

interface ScatterSectionProps {
  /** One that reads. */
  readonly filter: string;
  readonly tasks: readonly TaskView[];
}

/** Any param against any figure, for the runs of one task that the filter finds. They are fetched once it is in sight. */
export function ScatterSection({ filter, tasks }: ScatterSectionProps) {
  const [asked, setTask] = useAddress("task");
  const names = useRunNames();
  const slugs = tasks.map(({ task }) => task.slug);
  const slug = slugs.find((one) => one === asked) ?? slugs[0];
  const [place, isSeen] = useInSight<HTMLDivElement>();
  const text: SearchText | null =
    slug === undefined || !isSeen ? null : { filter: withinTask(filter, slug), order: "" };
  const found = useFoundRuns(text, DRAWN_MAX);
  const view = tasks.find(({ task }) => task.slug === slug) ?? null;
  const choice = slug !== undefined && (
    <Choice label="Task" value={slug} options={slugs.map((one) => [one, one])} onValue={setTask} />
  );
  return (
    <Section
      id="scatter"
      title="One against one"
      note="Any param against any figure, for one task at a time. A point is a run that the filter finds."
    >
      <div ref={place}>
        <QueryGate query={found} what="runs of the task" waits={names.data === undefined}>
          {({ items, foundCount }) => (
            <Scatter
              task={choice}
              rows={items.map((item) => experimentRow(item.run, view, item))}
              choices={upChoices(names.data ?? { params: [], metrics: [], tags: [] })}
              beyond={leftOutWords(foundCount - items.length, `the newest ${DRAWN_MAX} are drawn`)}
            />
          )}
        </QueryGate>
      </div>
    </Section>
  );
}

interface ScatterProps {
  readonly task: ReactNode;
  readonly rows: readonly ExperimentRow[];
  readonly choices: readonly UpChoice[];
  /** Says how many runs were not fetched; null if all were. */
  readonly beyond: string | null;
}

function Scatter({ task, rows, choices, beyond }: ScatterProps) {
  const [askedSet, setSet] = useAddress("set");
  const [askedX, setX] = useAddress("x");
  const [askedY, setY] = useAddress("y");
  const [xLog, setXLog] = useAddress("xlog");
  const [yLog, setYLog] = useAddress("ylog");
  const possible = choices.filter((choice) => rows.some((row) => scatterable(row, choice)));
  const up = possible.find(({ name }) => name === askedY) ?? possible[0];
  const judged = up === undefined ? [] : rows.filter((row) => scatterable(row, up));
  const sameRows = up !== undefined && needsSameRows(up) ? oneSet(judged, askedSet) : null;
  const drawn = sameRows?.rows ?? judged;
  const params = numberParams(drawn);
  const param = params.find((one) => one === askedX) ?? params[0];
  if (up === undefined || param === undefined || sameRows?.set === null)
    return (
      <div className="grid gap-5">
        <div>{task}</div>
        <EmptyNote>
          No run of this task that the filter finds has figures yet on rows that are known.
        </EmptyNote>
      </div>
    );
  const all = scatterOf(drawn, param, up, { x: false, y: false }).points;
  const logs = {
    x: wantsLog(
      xLog,
      all.map(({ x }) => x),
    ),
    y: yLog === "1",
  };
  const { points, leftOut } = scatterOf(drawn, param, up, logs);
  const across = paramTitle(param);
  const unknown = [sameRows?.leftOut ?? null, ...leftOut, beyond].filter((one) => one !== null);
  return (
    <div className="grid gap-5">
      <div className="flex flex-wrap items-end gap-4">
        {task}
        {sameRows !== null && sameRows.sets.length > 0 && (
          <Choice
            label="Measured on"
            value={sameRows.set}
            options={sameRows.sets.map((one) => [one, setTitle(one, rows[0]?.view ?? null)])}
            onValue={setSet}
          />
        )}
        <Choice
          label="Across"
          value={param}
          options={params.map((one) => [one, paramTitle(one)])}
          onValue={setX}
        />
        <Log label="Log scale across" isOn={logs.x} onChange={(isOn) => setXLog(isOn ? "1" : "0")} />
        <Choice
          label="Up"
          value={up.name}
          options={possible.map(({ name, title }) => [name, title])}
          onValue={setY}
        />
        <Log label="Log scale up" isOn={logs.y} onChange={(isOn) => setYLog(isOn ? "1" : null)} />
      </div>
      {points.length === 0 ? (
        <EmptyNote>{unknown.join(" ")}</EmptyNote>
      ) : (
        <ScatterChart
          title={`${up.title} against ${across.toLowerCase()}`}
          note={scatterNote(sameRows?.set ?? null, unknown, up.spec !== null)}
          label={`${up.title} against ${across.toLowerCase()} of ${plural(points.length, "run")}.`}
          fileName={`${param}-${up.name}`}
          xTitle={across.toLowerCase()}
          yTitle={up.spec === null ? up.title : axisTitle(up.spec, points[0]?.row.measures[up.spec.name])}
          yMost={up.spec?.unit === "share" ? 1 : undefined}
          logs={logs}
          points={points.map((point) => ({
            key: point.row.run.runId,
            label: point.row.isInUse ? `run ${point.row.run.number}, in use` : `run ${point.row.run.number}`,
            x: point.x,
            y: point.y,
            halfWidth: point.halfWidth,
            isStrong: point.row.isInUse,
            words: pointWords(point, up.spec),
          }))}
        />
      )}
    </div>
  );
}

function scatterable({ measures, metrics }: ExperimentRow, { name, spec }: UpChoice): boolean {
  return spec === null ? metrics.has(name) : Object.hasOwn(measures, spec.name);
}

interface ChoiceProps {
  readonly label: string;
  readonly value: string;
  /** Values with their names. */
  readonly options: readonly (readonly [value: string, title: string])[];
  readonly onValue: (value: string) => void;
}

function Choice({ label, value, options, onValue }: ChoiceProps) {
  return (
    <label className="field min-w-48 max-md:flex-1">
      {label}
      <select value={value} onChange={(event) => onValue(event.target.value)}>
        {options.map(([one, title]) => (
          <option key={one} value={one}>
            {title}
          </option>
        ))}
      </select>
    </label>
  );
}

interface LogProps {
  readonly label: string;
  readonly isOn: boolean;
  readonly onChange: (isOn: boolean) => void;
}

function Log({ label, isOn, onChange }: LogProps) {
  return (
    <label className="flex min-h-11 cursor-pointer items-center gap-3 text-sm">
      <input type="checkbox" checked={isOn} onChange={(event) => onChange(event.target.checked)} />
      {label}
    </label>
  );
}
