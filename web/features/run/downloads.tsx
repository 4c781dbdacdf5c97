"use client";
import { Fragment } from "react";
import { TABLE_FORMATS } from "#shared/export/table/formats.ts";
import type { RunView } from "#shared/protocol/api.ts";
import type { Features } from "#shared/task/features.ts";
import { archiveUrl, exportUrl, figuresUrl } from "../../data/api.ts";
import { usePortability } from "../../data/queries.ts";
import { CodeLines } from "../../ui/code-lines.tsx";
import { isOver } from "../../words/endings.ts";
import { exportSnippets, int8Words, TABLE_WORDS } from "../../words/exports.ts";
import { FileList } from "./file-list.tsx";

/** The newest model of a run in the formats of other tools, and the lines that use it. */
export function Downloads({ run, features }: { readonly run: RunView; readonly features: Features }) {
  const { python, javascript } = exportSnippets(run, features);
  // A run under way makes a new model every round, and each takes the coordinator seconds.
  const { data } = usePortability(run.task, isOver(run) ? (run.candidate ?? null) : null);
  return (
    <div className="grid gap-4">
      <FileList
        model={run}
        version={run.candidate ?? null}
        urlOf={(format) => exportUrl(run.runId, format)}
        int8={data === undefined ? null : int8Words(data)}
      />
      <RunFiles runId={run.runId} />
      <CodeLines language="Python" text={python} />
      <CodeLines language="JavaScript" text={javascript} />
    </div>
  );
}

/** The run itself: its figures, and everything that there is of it. */
function RunFiles({ runId }: { readonly runId: string }) {
  return (
    <p className="text-ink-2">
      All figures of the run:{" "}
      {TABLE_FORMATS.map((format, at) => (
        <Fragment key={format}>
          {at > 0 && ", "}
          <a href={figuresUrl(runId, format)} download>
            {TABLE_WORDS[format]}
          </a>
        </Fragment>
      ))}
      . The whole run, with every round’s record and this model in each format:{" "}
      <a href={archiveUrl(runId)} download>
        one zip
      </a>
      .
    </p>
  );
}
