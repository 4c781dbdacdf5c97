import type { Answer, Call } from "#shared/kernel/calls.ts";
import type { Features } from "#shared/task/features.ts";
import type { SampleView } from "../core/sample/sample.ts";

/*
 * Messages between a page and the worker that reads its sample.
 *
 * | from   | kind         | carries                                              |
 * | ------ | ------------ | ---------------------------------------------------- |
 * | page   | open         | the files                                            |
 * | page   | call         | features; answered by their rows                     |
 * | worker | view         | how far it is, and the profile so far                |
 * | worker | done, failed | the answer to a call (shared/kernel/calls.ts)        |
 */

/** A file with its path: a File loses the path of its folder when it is sent. */
export interface SampleFile {
  readonly path: string;
  readonly file: File;
}

export type ToSampleWorker =
  | { readonly kind: "open"; readonly files: readonly SampleFile[] }
  | Call<{ readonly features: Features }>;

export type FromSampleWorker = { readonly kind: "view"; readonly view: SampleView } | Answer<unknown>;
