"use client";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { EntryPath } from "#shared/audit/path.ts";
import { layOutPath, type PathDrawing } from "../../chart/merkle-path.ts";
import type { OwnAudit } from "../../data/log-messages.ts";
import { lastSeen, logThread } from "../../data/log-thread.ts";
import { DataTable, type TableColumn } from "../../ui/data-table.tsx";
import { StatusMark } from "../../ui/status-mark.tsx";
import { useWidth } from "../../ui/use-width.ts";
import { entriesRange, formatEntries, pathLabel, pathSentence, pathTitle } from "../../words/audit-path.ts";
import { formatCount, formatHash } from "../../words/format.ts";

interface EntryPathFigureProps {
  readonly audit: OwnAudit;
  /** Null if no statement has an entry. */
  readonly index: number | null;
}

/** Why an entry is in the log: its path to the root, drawn and as a table, with both roots side by side. */
export function EntryPathFigure({ audit, index }: EntryPathFigureProps) {
  const { at } = audit.look.now;
  const path = useQuery({
    queryKey: ["entry-path", index, at],
    queryFn: () => (index === null ? null : logThread.ask("path", { index, seen: lastSeen() })),
    placeholderData: (before) => before,
    staleTime: Number.POSITIVE_INFINITY,
    retry: false,
  });
  if (index === null) return <div />;
  if (path.data == null) return <div className="audit-path min-h-[32rem]" />;
  return <Shown path={path.data} />;
}

function Shown({ path }: { readonly path: EntryPath }) {
  const { index, size, steps, text, computedRoot, signedRoot } = path;
  const [box, width] = useWidth<HTMLDivElement>();
  const [isOpen, setOpen] = useState(false);
  const drawing = layOutPath(index, size, Math.max(260, width));
  return (
    <aside className="audit-path" aria-labelledby="entry-path">
      <h2 id="entry-path">{pathTitle(index)}</h2>
      <p className="note mt-1.5">{pathSentence(steps.length, size)}</p>
      <div ref={box} className="mt-5">
        {width === 0 ? (
          <svg width="100%" height={drawing.height} aria-hidden="true" />
        ) : (
          <Drawing path={path} drawing={drawing} width={width} />
        )}
      </div>
      <dl className="mt-4 grid grid-cols-[auto_minmax(0,1fr)] gap-x-4 gap-y-0.5 border-t border-rule pt-3 text-sm">
        <dt className="text-ink-3">computed here</dt>
        <dd>
          <code>{formatHash(computedRoot, 24)} …</code>
        </dd>
        <dt className="text-ink-3">signed by the log</dt>
        <dd>
          <code>{formatHash(signedRoot, 24)} …</code>
        </dd>
      </dl>
      <p className="mt-2 text-sm">
        {computedRoot === signedRoot ? (
          <StatusMark kind="done">the same, signature valid</StatusMark>
        ) : (
          <StatusMark kind="refused">not the same: this entry is not in the log</StatusMark>
        )}
      </p>
      <p className="mt-4 text-sm">
        <button
          type="button"
          className="link underline"
          aria-expanded={isOpen}
          aria-controls="entry-path-table"
          onClick={() => setOpen(!isOpen)}
        >
          As a table
        </button>
      </p>
      <div id="entry-path-table" hidden={!isOpen} className="mt-3 grid gap-3">
        <DataTable
          caption={pathTitle(index)}
          columns={COLUMNS}
          rows={rowsOf(path)}
          rowKey={({ name }) => name}
        />
        <p className="note">The entry itself:</p>
        <pre className="mono wrap-anywhere whitespace-pre-wrap">{text}</pre>
      </div>
    </aside>
  );
}

interface PathRow {
  readonly name: string;
  readonly count: number;
  readonly hash: string;
}

const COLUMNS: readonly TableColumn<PathRow>[] = [
  { label: "Fingerprint of", cell: ({ name }) => name },
  { label: "Entries", numeric: true, cell: ({ count }) => formatCount(count) },
  { label: "Fingerprint", cell: ({ hash }) => <code className="wrap-anywhere">{hash}</code> },
];

function rowsOf({ index, size, leafHash, steps, computedRoot, signedRoot }: EntryPath): readonly PathRow[] {
  return [
    { name: `entry ${formatCount(index)}`, count: 1, hash: leafHash },
    ...steps.map(({ side, from, to, hash }) => {
      return { name: `${entriesRange(from, to)}, at the ${side}`, count: to - from, hash };
    }),
    { name: "all, computed here", count: size, hash: computedRoot },
    { name: "all, signed by the log", count: size, hash: signedRoot },
  ];
}

interface DrawingProps {
  readonly path: EntryPath;
  readonly drawing: PathDrawing;
  readonly width: number;
}

function Drawing({ path, drawing, width }: DrawingProps) {
  const { index, size, leafHash, steps, computedRoot } = path;
  const { x, textX, joints, nodesY, height } = drawing;
  const [firstY = 0, lastY = 0] = [nodesY[0], nodesY.at(-1)];
  return (
    <svg width={width} height={height} role="img" aria-label={pathLabel(index, steps.length, size)}>
      {joints.map((joint) => (
        <path
          key={`stretch ${joint.from}`}
          className="path-main"
          strokeWidth={joint.stretch.width}
          d={`M${x} ${joint.stretch.fromY}V${joint.stretch.toY}`}
        />
      ))}
      {joints.map((joint, at) => (
        <g key={`joint ${joint.from}`}>
          <path className="path-side" strokeWidth={joint.width} d={joint.d} />
          <circle className="path-node" cx={joint.x} cy={joint.y} r={joint.radius} />
          <text className="ink-text" x={textX} y={joint.textY}>
            {joint.text}
          </text>
          <text className="ink-note" x={textX} y={joint.textY + 15}>
            {joint.note}
          </text>
          <text className="path-hash" x={width} y={joint.textY + (width < 400 ? 15 : 0)} textAnchor="end">
            {formatHash(steps[at]?.hash ?? "", 8)}
          </text>
        </g>
      ))}
      {nodesY.slice(0, -1).map((y) => (
        <circle key={y} className="path-node" cx={x} cy={y} r={4} />
      ))}
      <text className="ink-strong" x={textX} y={firstY + 4}>
        entry {formatCount(index)}
      </text>
      <text className="path-hash" x={width} y={firstY + 4} textAnchor="end">
        {formatHash(leafHash, 8)}
      </text>
      <circle className="of-sum" cx={x} cy={lastY} r={9} />
      <text className="ink-strong of-sum" x={textX} y={lastY + 4}>
        {size === 1 ? "the root" : `one root for all ${formatEntries(size).replace(/ entries$/, "")}`}
      </text>
      <text className="path-hash" x={width} y={lastY + 4} textAnchor="end">
        {formatHash(computedRoot, 8)}
      </text>
    </svg>
  );
}
