"use client";
import Link from "next/link";
import type { ReactNode } from "react";
import type { TaskView } from "#shared/protocol/api.ts";
import type { ModelVersionView } from "#shared/protocol/registry.ts";
import { Section } from "../../ui/section.tsx";
import { useWidth } from "../../ui/use-width.ts";
import { formatHash } from "../../words/format.ts";
import { headlineFigure } from "../../words/measures.ts";
import {
  heldOutCardWords,
  isOfNote,
  lineageSentence,
  setNodeWords,
  standingWords,
} from "../../words/models.ts";
import { taskKind } from "../../words/tasks.ts";
import { bend, lineageOf, merge, type Place, type RunNode, type SetNode } from "./lineage.ts";

interface LineageProps {
  readonly view: TaskView;
  /** Newest first. */
  readonly models: readonly ModelVersionView[];
}

const SHOWN = 8;
const DRAWN_FROM_PX = 620;
const MERGE_PX = 96;
/** "run 1,234" */
const RUN_WORDS_PX = 80;
/** "held-out set ab12cd34, 1,234 rows" */
const SET_WORDS_PX = 226;

/** From data and the task's version over run and round to each version of note, and the rows that judged it. */
export function LineageSection({ view, models }: LineageProps) {
  const [box, width] = useWidth<HTMLDivElement>();
  const noted = models.filter(isOfNote).slice(0, SHOWN);
  if (noted.length === 0) return null;
  const { slug } = view.task;
  return (
    <Section
      id="lineage"
      title="Lineage"
      note="Where each version with a name, and the last of each run, comes from. Every name leads to what it names."
    >
      <div ref={box} className="grid gap-5">
        {width >= DRAWN_FROM_PX ? (
          <Drawing view={view} noted={noted} width={width} />
        ) : (
          <ul className="grid gap-3">
            {noted.map((model) => (
              <li key={model.version}>
                {lineageSentence(slug, model)} <Link href={`/runs/${model.runId}`}>Its run</Link>
              </li>
            ))}
          </ul>
        )}
        <p className="note max-w-3xl">
          <Link href={`/tasks/${slug}#card`}>Data of the task</Link>: {taskKind(view.task)}, which stay on
          devices.{" "}
          {view.heldOut != null && (
            <>
              <Link href={`/tasks/${slug}#held-out`}>Held-out set {formatHash(view.heldOut.hash, 8)}</Link>:{" "}
              {heldOutCardWords(view.heldOut)}
            </>
          )}
        </p>
      </div>
    </Section>
  );
}

interface DrawingProps {
  readonly view: TaskView;
  readonly noted: readonly ModelVersionView[];
  readonly width: number;
}

function Drawing({ view, noted, width }: DrawingProps) {
  const { height, tasks, sets } = lineageOf(noted, width);
  const { slug } = view.task;
  return (
    <nav aria-label="Lineage">
      <svg width={width} height={height} viewBox={`0 0 ${width} ${height}`} className="lineage">
        <title>Where versions come from</title>
        {sets.map((set) => (
          <HeldOutNode key={set.hash} set={set} view={view} />
        ))}
        {tasks.map((task) => (
          <g key={task.taskVersion}>
            {task.runs.map((run) => (
              <RunPart key={run.runId} run={run} from={{ x: width * 0.18, y: task.y }} slug={slug} />
            ))}
            <Name href={`/tasks/${slug}#versions`} x={task.x} y={task.y + 4}>
              {slug}, version {task.taskVersion}
            </Name>
            <Name href={`/tasks/${slug}#card`} x={task.x} y={task.y + 21} isQuiet>
              its data: {taskKind(view.task)}
            </Name>
          </g>
        ))}
      </svg>
    </nav>
  );
}

function RunPart(props: { readonly run: RunNode; readonly from: Place; readonly slug: string }) {
  const { run, from, slug } = props;
  const begin = { x: run.x + RUN_WORDS_PX, y: run.y };
  const end = { x: begin.x + MERGE_PX, y: run.y };
  return (
    <g>
      <path d={bend(from, { x: run.x - 10, y: run.y })} className="lineage-hair" />
      <Name href={`/runs/${run.runId}`} x={run.x} y={run.y + 4}>
        run {run.runNumber}
      </Name>
      <path d={merge(begin, MERGE_PX)} className="lineage-voices" />
      {run.versions.map(({ model, x, y }) => {
        const isNamed = model.aliases.length > 0;
        return (
          <g key={model.version}>
            <path d={bend(end, { x: x - 16, y })} className={isNamed ? "lineage-sum" : "lineage-hair"} />
            <circle cx={x - 12} cy={y} r={5} className={isNamed ? "lineage-disc" : "lineage-ring"} />
            <Name href={`/models/${slug}?gates=${model.version}#gates`} x={x} y={y + 4}>
              version {model.version}
              <tspan className="ink-note" dx={8}>
                {[standingWords(model), headlineFigure(model.measures)].filter(Boolean).join(", ")}
              </tspan>
            </Name>
            <Name href={`/runs/${run.runId}#rounds`} x={x} y={y + 20} isQuiet>
              round {model.round} of run {run.runNumber}
            </Name>
          </g>
        );
      })}
    </g>
  );
}

/** The rows that judged versions, with a hair to each. */
function HeldOutNode({ set, view }: { readonly set: SetNode; readonly view: TaskView }) {
  const from = { x: set.x + SET_WORDS_PX, y: set.y };
  return (
    <g>
      {set.versions.map((place) => (
        <path
          key={`${place.x} ${place.y}`}
          d={bend(from, { x: place.x - 12, y: place.y + 6 })}
          className="lineage-hair dotted"
        />
      ))}
      <Name href={`/tasks/${view.task.slug}#held-out`} x={set.x} y={set.y + 4}>
        {setNodeWords(set.hash, view.heldOut ?? null)}
      </Name>
    </g>
  );
}

interface NameProps extends Place {
  readonly href: string;
  readonly isQuiet?: boolean;
  readonly children: ReactNode;
}

function Name({ href, x, y, isQuiet = false, children }: NameProps) {
  return (
    <a href={href}>
      <text x={x} y={y} className={isQuiet ? "ink-note" : "ink-strong"}>
        {children}
      </text>
    </a>
  );
}
