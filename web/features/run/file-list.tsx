"use client";
import { CARD_FORMATS } from "#shared/export/card/formats.ts";
import type { ExportFormat } from "#shared/export/formats.ts";
import { useFileSizes } from "../../data/file-sizes.ts";
import { cardUrl } from "../../data/models.ts";
import { DataTable, type TableColumn } from "../../ui/data-table.tsx";
import { CARD_WORDS, EXPORT_WORDS, newestFileName } from "../../words/exports.ts";
import { formatFileSize } from "../../words/format.ts";

interface FileListProps {
  readonly model: Parameters<typeof newestFileName>[0];
  /** Its number among the models of the task; null in runs of older versions. */
  readonly version: number | null;
  readonly urlOf: (format: ExportFormat) => string;
  /** What 8 bits cost; null until it is known. */
  readonly int8: string | null;
}

interface FileRow {
  readonly url: string;
  readonly title: string;
  /** For a screen reader, if the title alone does not say it. */
  readonly label?: string;
  readonly what: string;
  readonly fileName?: string;
}

/** A model in the formats of other tools, and its card, each with its size. */
export function FileList({ model, version, urlOf, int8 }: FileListProps) {
  const rows: readonly FileRow[] = [
    ...EXPORT_WORDS.map(({ format, title, what }) => ({
      url: urlOf(format),
      title,
      what: format === "onnx-int8" && int8 !== null ? `${what} (${int8})` : what,
      fileName: newestFileName(model, format),
    })),
    ...(version === null
      ? []
      : CARD_FORMATS.map((format) => ({
          url: cardUrl(model.task, version, format),
          title: `Card, ${CARD_WORDS[format]}`,
          label: `Card as ${CARD_WORDS[format]}`,
          what: "what it is for and not for, how it was made and judged",
        }))),
  ];
  const sizes = useFileSizes(
    rows.map(({ url }) => url),
    version ?? model.newestVersion ?? 0,
  );
  const columns: readonly TableColumn<FileRow>[] = [
    {
      label: "Format",
      cell: ({ url, title, label, fileName }) => (
        <a href={url} download={fileName ?? true} aria-label={label}>
          {title}
        </a>
      ),
    },
    {
      label: "Size",
      numeric: true,
      cell: ({ url }) => {
        const size = sizes?.get(url);
        return size === undefined ? "" : <span className="whitespace-nowrap">{formatFileSize(size)}</span>;
      },
    },
    { label: "For", cell: ({ what }) => <span className="text-ink-2">{what}</span> },
  ];
  return <DataTable caption="Files of the model" columns={columns} rows={rows} rowKey={({ url }) => url} />;
}
