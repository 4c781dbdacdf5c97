"use client";
import { type ReactNode, useId, useRef, useState } from "react";
import { type TableData, tableToCsv } from "#shared/export/table/table-data.ts";
import { FocusBox } from "../ui/focus-box.tsx";
import { useReader } from "../ui/use-reader.ts";
import { useWidth } from "../ui/use-width.ts";
import { formatDecimal } from "../words/format.ts";
import { download, svgToFile } from "./export.ts";

interface ChartFigureProps {
  readonly title: string;
  /** What is measured, on whom, and what a band or tick means. */
  readonly note: ReactNode;
  /** Pixels; reserved while the figures are being fetched. */
  readonly height: number;
  readonly table: TableData;
  /** Without extension. */
  readonly fileName: string;
  /** The text for each step of the drawing, left to right. */
  readonly readings: readonly string[];
  /** The step nearest to `xPx`; null outside the plot. */
  readonly stepAt: (xPx: number, width: number) => number | null;
  /** Draws an <svg role="img"> with its sentence; `step` is the one being read. */
  readonly draw: (width: number, step: number | null) => ReactNode;
  /** More buttons under the drawing. */
  readonly actions?: ReactNode;
}

/** A chart: title, note, the drawing that arrow keys and pointer read, then table, SVG and CSV. */
export function ChartFigure(props: ChartFigureProps) {
  const { title, note, height, table, fileName, readings, stepAt, draw, actions } = props;
  const [box, width] = useWidth<HTMLDivElement>();
  const figure = useRef<HTMLElement>(null);
  const [open, setOpen] = useState(false);
  const tableId = useId();
  const { step, handlers } = useReader(readings.length, (xPx) => stepAt(xPx, width));
  const saveSvg = () => {
    const svg = figure.current?.querySelector("svg");
    if (svg) download(`${fileName}.svg`, "image/svg+xml", svgToFile(svg));
  };
  return (
    <figure ref={figure} className="min-w-0">
      <figcaption className="mb-2.5">
        <h3>{title}</h3>
        <p className="note md:min-h-[2.95em]">{note}</p>
      </figcaption>
      <div ref={box}>
        <FocusBox label={`${title}; arrow keys read the values`} {...handlers}>
          {width > 0 ? draw(width, step) : <svg width="100%" height={height} aria-hidden="true" />}
        </FocusBox>
      </div>
      <output className="note block min-h-5 text-xs">{step === null ? "" : readings[step]}</output>
      <div className="under-chart flex gap-4 text-xs">
        {actions}
        <button
          type="button"
          className="link"
          aria-expanded={open}
          aria-controls={tableId}
          aria-label={`Table of ${title.toLowerCase()}`}
          onClick={() => setOpen(!open)}
        >
          Table
        </button>
        <button type="button" className="link" aria-label={`SVG of ${title.toLowerCase()}`} onClick={saveSvg}>
          SVG
        </button>
        <button
          type="button"
          className="link"
          aria-label={`CSV of ${title.toLowerCase()}`}
          onClick={() => download(`${fileName}.csv`, "text/csv", tableToCsv(table))}
        >
          CSV
        </button>
      </div>
      <div id={tableId} hidden={!open} className="mt-3">
        <FigureTable title={title} table={table} />
      </div>
    </figure>
  );
}

function FigureTable({ title, table }: { readonly title: string; readonly table: TableData }) {
  return (
    <FocusBox className="table-box max-h-80 overflow-y-auto" label={`${title} as a table`}>
      <table>
        <caption className="sr-only">{title}</caption>
        <thead>
          <tr>
            {table.columns.map((column) => (
              <th key={column} scope="col" className="num">
                {column}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {table.rows.map((row) => (
            <tr key={String(row[0])}>
              {row.map((value, index) => (
                <td key={table.columns[index]} className="num">
                  {value === null
                    ? "not known"
                    : typeof value === "number" && !Number.isInteger(value)
                      ? formatDecimal(value)
                      : value}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </FocusBox>
  );
}
