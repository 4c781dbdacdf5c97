"use client";
import Link from "next/link";
import { useState } from "react";
import type { TaskView } from "#shared/protocol/api.ts";
import type { ModelVersionView } from "#shared/protocol/registry.ts";
import { useMay } from "../../data/may.ts";
import { assessmentUrl, cardUrl, useAliases } from "../../data/models.ts";
import { DataTable, type TableColumn } from "../../ui/data-table.tsx";
import { Section } from "../../ui/section.tsx";
import { ShowMore, useShownCount } from "../../ui/show-more.tsx";
import { EmptyNote } from "../../ui/states.tsx";
import { formatCount, formatWhenUtc } from "../../words/format.ts";
import { headlineFigure } from "../../words/measures.ts";
import { isOfNote, standingWords } from "../../words/models.ts";
import { Said, useDeeds } from "../admin/deeds.tsx";
import { type Move, MoveLinks, MoveQuestion, movesOf } from "./moves.tsx";

interface VersionsProps {
  readonly view: TaskView;
  /** Newest first. */
  readonly models: readonly ModelVersionView[];
  /** True if the coordinator has more. */
  readonly hasOlder: boolean;
  /** Who may move names here, as the log knows them; null if the reader may not. */
  readonly actor: string | null;
}

const SHOWN_FIRST = 12;

/** Versions with their names. At first those that have one and the last of each run; then all. */
export function VersionsSection({ view, models, hasOlder, actor }: VersionsProps) {
  const { slug } = view.task;
  const [wantsAll, setWantsAll] = useState(false);
  const [count, onMore] = useShownCount("versions", SHOWN_FIRST);
  const deeds = useDeeds("versions");
  const mayAssess = useMay()("runs.read", view);
  const { data: aliases } = useAliases(slug);
  const moves = (model: ModelVersionView): readonly Move[] =>
    actor === null || aliases === undefined ? [] : movesOf(model, { slug, aliases, actor });
  const under = (model: ModelVersionView) => {
    const move = moves(model).find(({ what }) => deeds.isOpen(String(model.version), what));
    return move === undefined ? null : <MoveQuestion {...{ slug, move, deeds }} />;
  };
  return (
    <Section
      id="versions"
      title="Versions"
      note="Each committed round makes one. A name moves. Devices and pages predict with the one that is called champion."
    >
      {models.length === 0 ? (
        <EmptyNote>None yet. The first committed round of a run makes one.</EmptyNote>
      ) : (
        <>
          <ShowMore
            items={wantsAll ? models : models.filter(isOfNote)}
            count={count}
            onMore={onMore}
            hasOlder={hasOlder}
          >
            {(shown) => (
              <DataTable
                caption="Versions"
                columns={[
                  ...columnsOf(view, mayAssess),
                  ...(actor === null
                    ? []
                    : [
                        {
                          label: "Names",
                          hiddenLabel: true,
                          cell: (model: ModelVersionView) => (
                            <MoveLinks version={model.version} moves={moves(model)} deeds={deeds} />
                          ),
                        },
                      ]),
                ]}
                rows={shown}
                rowKey={({ version }) => version}
                marked={({ aliases: names }) => names.includes("champion")}
                under={under}
                records
              />
            )}
          </ShowMore>
          <Said deeds={deeds} />
          <label className="mt-3 flex min-h-11 w-fit cursor-pointer items-center gap-3 text-sm">
            <input
              type="checkbox"
              checked={wantsAll}
              onChange={(event) => setWantsAll(event.target.checked)}
            />
            Every version, also those without a name from the middle of a run
          </label>
        </>
      )}
    </Section>
  );
}

function columnsOf({ heldOut }: TaskView, mayAssess: boolean): readonly TableColumn<ModelVersionView>[] {
  return [
    {
      label: "Version",
      cell: (model) => (
        <>
          <b className="font-semibold">{model.version}</b>
          <span className="note block">{standingWords(model)}</span>
        </>
      ),
    },
    {
      label: "From",
      cell: ({ runId, runNumber, round }) => (
        <>
          <Link href={`/runs/${runId}`}>run {runNumber}</Link>, round {round}
        </>
      ),
    },
    {
      label: "Held out",
      numeric: true,
      cell: ({ measures, measuredOn }) => {
        const isOther = measuredOn !== undefined && heldOut != null && measuredOn !== heldOut.hash;
        const figure = headlineFigure(measures) ?? "none";
        return isOther ? (
          <span className="text-ink-3">
            {figure}
            <span className="block">other held-out set</span>
          </span>
        ) : (
          figure
        );
      },
    },
    {
      label: "Devices in the sum",
      numeric: true,
      cell: ({ cohortSize }) => (cohortSize === null ? "not known" : formatCount(cohortSize)),
    },
    {
      label: "Made",
      cell: ({ madeAt }) => <span className="text-ink-3">{formatWhenUtc(madeAt)}</span>,
    },
    {
      label: "Card",
      hiddenLabel: true,
      cell: ({ task, version }) => (
        <span className="flex flex-wrap gap-x-4">
          <a href={cardUrl(task, version, "markdown")} download aria-label={`Card of version ${version}`}>
            card
          </a>
          {mayAssess && (
            <a
              href={assessmentUrl(task, version)}
              download
              aria-label={`File for an assessor of version ${version}`}
            >
              for an assessor
            </a>
          )}
        </span>
      ),
    },
  ];
}
