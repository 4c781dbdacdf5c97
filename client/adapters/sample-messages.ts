import type { Answer, Call } from "#shared/kernel/calls.ts";
import type { PackedTable } from "#shared/sample/packed-table.ts";
import type { Features } from "#shared/task/features.ts";
import type { SampleView } from "../core/sample/sample.ts";

/*
 * Messages between a page and the worker that reads its sample.
 *
 * | from   | kind         | carries                                              |
 * | ------ | ------------ | ---------------------------------------------------- |
 * | page   | open         | the files, and how quotes are read                   |
 * | page   | call         | features; answered by their rows                     |
 * | worker | view         | how far it is, and the profile so far, packed        |
 * | worker | done, failed | the answer to a call (shared/kernel/calls.ts)        |
 */

/** A file with its path: a File loses the path of its folder when it is sent. */
export interface SampleFile {
  readonly path: string;
  readonly file: File;
}

export type ToSampleWorker =
  | { readonly kind: "open"; readonly files: readonly SampleFile[]; readonly plainQuotes: boolean }
  | Call<{ readonly features: Features }>;

/** A view as it is sent. */
export type PackedView = Omit<SampleView, "table" | "proposal"> & { readonly table: PackedTable | null };

export type FromSampleWorker = { readonly kind: "view"; readonly view: PackedView } | Answer<unknown>;
