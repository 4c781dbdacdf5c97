import type { ImportReport } from "#shared/data/report.ts";
import type { Result } from "#shared/kernel/result.ts";
import type { PicturesProfile } from "#shared/sample/pictures-profile.ts";
import type { TableProposal } from "#shared/sample/propose-table.ts";
import type { TableProfile } from "#shared/sample/table-profiler.ts";
import type { Dataset } from "#shared/task/dataset.ts";
import type { Features } from "#shared/task/features.ts";

/** How far a sample is read, and what is known of it. */
export interface SampleView {
  /** Of the file, or of the folder. */
  readonly name: string;
  readonly byteCount: number;
  readonly readByteCount: number;
  /** read: the whole file, so ranges are final. */
  readonly state: "reading" | "read" | "refused";
  /** Null before the first rows, and for pictures. */
  readonly table: TableProfile | null;
  /** Of that table. */
  readonly proposal: TableProposal | null;
  readonly pictures: PicturesProfile | null;
  /** How it was read, as sentences: "Semicolons, Windows-1252." */
  readonly notes: readonly string[];
  /** Rows that cannot be read at all, as sentences. */
  readonly problems: readonly string[];
  /** Rows whose quotes cannot be read: reading every quote as a letter would take them. */
  readonly quoteFaultCount: number;
  /** Every quote was read as a letter. */
  readonly hasPlainQuotes: boolean;
  /** Why it cannot be read; null unless `state` is refused. */
  readonly refusal: string | null;
  /** Milliseconds since reading began. */
  readonly elapsedMs: number;
}

/** The sample's rows as a task would take them. */
export interface SampleRows {
  readonly dataset: Dataset;
  readonly report: ImportReport;
}

export interface SampleOptions {
  /** Reads every quote of a table as a letter. */
  readonly plainQuotes?: boolean;
}

/** A sample that a researcher brings to make a task. It is read in a worker of this page and sent nowhere. */
export interface Sample {
  view(): SampleView;
  /** @returns a function that ends it. */
  subscribe(listener: () => void): () => void;
  /** Reads the sample again, with a task's features. Errors: a sentence. */
  rows(features: Features): Promise<Result<SampleRows, string>>;
  /** Forgets the sample and ends its worker. */
  close(): void;
}
