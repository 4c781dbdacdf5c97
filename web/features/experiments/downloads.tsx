"use client";
import { TABLE_FORMATS } from "#shared/export/table/formats.ts";
import { runsFileUrl, type SearchText } from "../../data/experiments.ts";
import { ofRuns } from "../../words/experiment-filters.ts";
import { fileOfFound } from "../../words/experiments.ts";
import { TABLE_WORDS } from "../../words/exports.ts";
import { plural } from "../../words/format.ts";
import { useChosen } from "./use-chosen.ts";

interface DownloadsProps {
  readonly search: SearchText;
  readonly foundCount: number;
}

/** What the filter finds, or the ticked runs, as tables of params and newest figures. */
export function Downloads({ search, foundCount }: DownloadsProps) {
  const { chosen } = useChosen();
  return (
    <details className="actions">
      <summary className="btn">Download {plural(foundCount, "run")}…</summary>
      <div className="grid gap-2 py-3 text-sm">
        <Files what={fileOfFound(foundCount)} search={search} />
        {chosen.length > 0 && (
          <Files
            what={`The ${plural(chosen.length, "ticked run")}`}
            search={{ ...search, filter: ofRuns(chosen) }}
          />
        )}
        <p className="note">One row a run: every param, and the newest value of every figure.</p>
      </div>
    </details>
  );
}

function Files({ what, search }: { readonly what: string; readonly search: SearchText }) {
  return (
    <p className="flex flex-wrap gap-x-4">
      <span>{what}:</span>
      {TABLE_FORMATS.map((format) => (
        <a
          key={format}
          href={runsFileUrl(search, format)}
          download
          aria-label={`${what}, ${TABLE_WORDS[format]}`}
        >
          {TABLE_WORDS[format]}
        </a>
      ))}
    </p>
  );
}
