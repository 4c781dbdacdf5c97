"use client";
import { inputNames } from "#shared/sample/input-names.ts";
import type { Features } from "#shared/task/features.ts";
import { targetOf } from "#shared/task/target.ts";
import { FocusBox } from "../../ui/focus-box.tsx";
import { formatCount, plural } from "../../words/format.ts";
import { takenWords } from "../../words/workshop-columns.ts";
import type { RowsState } from "./use-rows.ts";
import type { Workshop } from "./use-workshop.ts";

const ROWS_SHOWN = 3;
const REASONS_SHOWN = 4;
/** Of a wide table the first numbers; a thousand would take longer to lay out than to read. */
const NUMBERS_SHOWN = 60;

/** Rows of the sample as the model takes them, and what becomes of the others. */
export function TakenRows({ workshop }: { readonly workshop: Workshop }) {
  const { rows, result } = workshop;
  const features = result?.features ?? null;
  if (rows.state === "none" || features === null) return null;
  return (
    <div className="min-w-0" aria-busy={rows.state === "reading"}>
      <h3>{features.kind === "tabular" ? "Three rows as the model takes them" : "What the model takes"}</h3>
      <Taken rows={rows} features={features} />
    </div>
  );
}

function Taken({ rows, features }: { readonly rows: RowsState; readonly features: Features }) {
  if (rows.state === "refused") return <p className="text-sm text-stop">{rows.sentence}</p>;
  if (rows.state !== "read") return <p className="note min-h-36">Reading the sample with these columns.</p>;
  const { dataset, report } = rows.rows;
  return (
    <>
      <p className="note mb-2">{widthNote(features)}</p>
      {features.kind === "tabular" && <Vectors features={features} dataset={dataset} />}
      <p className="mt-3 text-sm text-ink-2">{takenWords(report.rowsTaken, report.rowsLeftOut)}</p>
      {report.reasons.slice(0, REASONS_SHOWN).map(({ sentence, count }) => (
        <p key={sentence} className="note">
          {plural(count, "row")}: {sentence}.
        </p>
      ))}
    </>
  );
}

function widthNote(features: Features): string {
  switch (features.kind) {
    case "tabular":
      return `${formatCount(inputNames(features).length)} numbers each. Categories take one place per value; the other columns are scaled.`;
    case "series":
      return `${formatCount(features.length)} steps of ${formatCount(features.channels.length)} ${features.channels.length === 1 ? "channel" : "channels"}, each scaled by its range.`;
    case "image":
      return `${features.width} by ${features.height} pixels, ${features.channels === 3 ? "three numbers" : "one number"} each, from 0 to 1.`;
  }
}

function Vectors(props: {
  readonly features: Extract<Features, { kind: "tabular" }>;
  readonly dataset: Extract<RowsState, { state: "read" }>["rows"]["dataset"];
}) {
  const { features, dataset } = props;
  const names = inputNames(features);
  const target = targetOf(features);
  const label = (row: number) => {
    const value = dataset.labels[row] ?? 0;
    return target.kind === "classes"
      ? (target.classes[value] ?? "")
      : `${Number(value.toPrecision(6))} ${target.unit}`;
  };
  const count = Math.min(ROWS_SHOWN, dataset.count);
  const shownNames = names.slice(0, NUMBERS_SHOWN);
  const more = names.length - shownNames.length;
  return (
    <FocusBox className="table-box" label="Rows as the model takes them">
      <table className="vectors">
        <thead>
          <tr>
            {shownNames.map((name) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
            {more > 0 && <th scope="col">and {formatCount(more)} more</th>}
            <th scope="col">label</th>
          </tr>
        </thead>
        <tbody>
          {Array.from({ length: count }, (_, row) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: rows have no other name than their place
            <tr key={row}>
              {shownNames.map((name, at) => (
                <td key={name}>{shown(dataset.inputs[row * names.length + at] ?? 0)}</td>
              ))}
              {more > 0 && <td>…</td>}
              <td>{label(row)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </FocusBox>
  );
}

const shown = (value: number): string => (Number.isInteger(value) ? String(value) : value.toFixed(3));
