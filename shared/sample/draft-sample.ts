import { matchWord } from "../data/match/words-match.ts";
import {
  type Draft,
  type DraftColumn,
  type DraftData,
  type DraftSample,
  fieldsOfColumn,
  labelOf,
  newDraft,
  type PicturesData,
  rulesOf,
} from "./draft.ts";
import { type PicturesProfile, proposedSize } from "./pictures-profile.ts";
import type { TableProposal } from "./propose-table.ts";
import type { TableProfile } from "./table-profiler.ts";

/** A table as far as it was read, and what it proposes. */
export interface SampleTable {
  readonly profile: TableProfile;
  readonly proposal: TableProposal;
}

interface SampleFile {
  readonly name: string;
  readonly byteCount: number;
}

/**
 * The draft with what a sample proposes. Called again while the sample is being read: what the person changed stays. A draft
 * of a next version keeps its columns, because they were agreed to; the sample then only tries the model.
 *
 * @param draft  Null before the first sample.
 */
export function withTable(draft: Draft | null, { profile, proposal }: SampleTable, file: SampleFile): Draft {
  const started = draft ?? begun(proposal, file.name);
  const columns = started.base === null ? proposedColumns(started, proposal) : started.columns;
  const series = started.base === null && started.data.kind === "series" ? proposal.series : null;
  const data =
    series === null || started.data.kind !== "series"
      ? started.data
      : {
          ...started.data,
          length: String(series.length),
          channels: mergedChannels(started.data.channels, series.channels),
        };
  const next = { ...started, data, columns };
  return { ...next, sample: { ...file, rows: profile.rows, classRows: classRows(next, profile) } };
}

function begun({ series }: TableProposal, fileName: string): Draft {
  const data =
    series?.isLikely !== true
      ? ({ kind: "table" } as const)
      : ({ kind: "series", length: String(series.length), channels: series.channels } as const);
  return newDraft(data, [], slugOf(fileName));
}

/** The same table read as the other kind of rows: numbered columns as steps of a series, or each for itself. */
export function readAs(draft: Draft, kind: "table" | "series", table: SampleTable): Draft {
  const data: DraftData = kind === "table" ? { kind } : { kind, length: "", channels: [] };
  const { name = "", byteCount = 0 } = draft.sample ?? {};
  return withTable({ ...draft, data }, table, { name, byteCount });
}

type Channels = Extract<Draft["data"], { kind: "series" }>["channels"];

/** Titles and units that were typed stay; ranges follow the sample. */
function mergedChannels(before: Channels, proposed: Channels): Channels {
  return proposed.map((channel) => {
    const known = before.find(({ name }) => name === channel.name);
    return known === undefined ? channel : { ...channel, title: known.title, unit: known.unit };
  });
}

function proposedColumns(draft: Draft, { columns, series }: TableProposal): DraftColumn[] {
  // Of columns with one name the first is asked for.
  const editedByName = new Map(draft.columns.toReversed().map(({ name, edited }) => [name, edited]));
  const proposed = draft.data.kind === "series" && series !== null ? series.columns : columns;
  return proposed.map(({ name, fields, leftOutBecause, twoWays }) => ({
    name,
    proposed: fields,
    edited: leftOutBecause === "same-name" ? {} : (editedByName.get(name) ?? {}),
    leftOutBecause,
    twoWays,
  }));
}

/** Rows of each class of the label; empty if it is a number, or has too many values to be counted. */
export function classRows(draft: Draft, { columns }: TableProfile): DraftSample["classRows"] {
  const label = labelOf(draft);
  if (label === null || fieldsOfColumn(label).type === "number") return [];
  const values = columns.find(({ name }) => name === label.name)?.distinct.values ?? [];
  const { categories } = fieldsOfColumn(label);
  const rowsByClass = new Map(categories.map((name) => [name, 0]));
  for (const [value, rows] of values) {
    // As devices read the word.
    const name = matchWord(value, categories)?.means;
    if (name !== undefined) rowsByClass.set(name, (rowsByClass.get(name) ?? 0) + rows);
  }
  return [...rowsByClass];
}

/** A name for the address, from the file's: "Readmissions 2026 (final).csv" becomes "readmissions-2026-final". */
export function slugOf(fileName: string): string {
  const slug = fileName
    .replace(/\.[^.]*$/, "")
    .toLowerCase()
    .normalize("NFD")
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^[^a-z]+|-+$/g, "")
    .slice(0, 32)
    .replace(/-+$/, "");
  return slug === "" ? "my-task" : slug;
}

/** The same for pictures in folders. */
export function withPictures(draft: Draft | null, profile: PicturesProfile, file: SampleFile): Draft {
  const proposed = proposedPictures(profile);
  const started = draft ?? newDraft(proposed, [], slugOf(file.name));
  const { data, base } = started;
  const rows = profile.classes.reduce((sum, { count }) => sum + count, 0);
  return {
    ...started,
    data: base === null && data.kind === "pictures" ? followed(data, proposed) : data,
    sample: { ...file, rows, classRows: profile.classes.map(({ name, count }) => [name, count]) },
  };
}

function proposedPictures(profile: PicturesProfile): PicturesData {
  const { width, height } = proposedSize(profile);
  return {
    kind: "pictures",
    height: String(height),
    width: String(width),
    channels: 2 * profile.withColour > profile.lookedAt ? "3" : "1",
    from: "0",
    to: "255",
    classes: profile.classes.map(({ name }) => name),
  };
}

/** What the sample proposes, except for fields that the person changed. */
function followed(data: PicturesData, proposed: PicturesData): PicturesData {
  const { edited = [] } = data;
  return { ...proposed, ...Object.fromEntries(edited.map((name) => [name, data[name]])), edited };
}

/** A draft about one kind of rows and a sample of another. Neither can follow the other, so a person has to choose. */
export interface KindClash {
  readonly draft: DraftData["kind"];
  readonly sample: DraftData["kind"];
}

/** Null if the sample fits the draft. Every CSV fits a table; the columns of a version that was agreed to stay as they are. */
export function kindClash(
  draft: Draft | null,
  table: TableProposal | null,
  pictures: PicturesProfile | null,
): KindClash | null {
  if (draft === null || (table === null && pictures === null)) return null;
  const { kind } = draft.data;
  const isSeries = table?.series != null && (table.series.isLikely || kind === "series");
  const sample = table === null ? "pictures" : isSeries ? "series" : "table";
  const fits =
    kind === sample ||
    (sample !== "pictures" && (kind === "table" || (kind === "series" && draft.base !== null)));
  return fits ? null : { draft: kind, sample };
}

/** A new draft from a sample of another kind. What was said about the purpose and the rules holds for it too. */
export function begunAnew(before: Draft, begun: Draft): Draft {
  const { base, rules, about } = before;
  return {
    ...begun,
    rules: base === null ? rules : rulesOf(before),
    // The address of a task is that of its versions.
    about: base === null ? about : { ...about, slug: begun.about.slug },
  };
}
