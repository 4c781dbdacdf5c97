import { ok, type Result } from "#shared/kernel/result.ts";
import type { WireError } from "#shared/protocol/errors.ts";
import type { Entry, RunBatch, TrackingDocument } from "../ports/tracking-store.ts";
import { entryOf, withEntry, withoutEntry } from "./entries.ts";
import { refused } from "./refusals.ts";

/*
 * What people note about things of Chorus itself: runs, tasks' models and their versions. Only what they have noted is kept,
 * beside the thing, and never in place of what Chorus says of it. Rules L6 and L7.
 */

/** What may be noted about a model or a version. */
interface Note {
  /** Of a note, if it is empty, that of the thing itself is shown. */
  readonly description: string;
  readonly tags: readonly Entry[];
  /** Unix milliseconds. */
  readonly updatedAt: number;
}

export type Noting =
  | { readonly type: "describe"; readonly description: string }
  | { readonly type: "set-tag"; readonly tag: Entry }
  | { readonly type: "delete-tag"; readonly key: string };

const OWN_TAG = /^(?:fl\.|mlflow\.source\.|mlflow\.(?:parentRunId|runName|user)$)/;

/** Whether a tag of this key says what a thing is and where it comes from. On its own things only Chorus writes these. */
export function isOwnTag(key: string): boolean {
  return OWN_TAG.test(key);
}

/** Whether a batch has what nobody adds to a run of Chorus. */
export function hasOwnParts({ metrics, params, tags }: RunBatch): boolean {
  return metrics.length > 0 || params.length > 0 || tags.some(({ key }) => isOwnTag(key));
}

export function noteOf(document: TrackingDocument | null | undefined): Note | null {
  return (document?.body ?? null) as Note | null;
}

/**
 * A note that an earlier version of this program kept within a copy of the thing. What Chorus said then is left out.
 *
 * @param copy        Null if there is none, or if the document of that id is somebody's own thing.
 * @param isOwnWords  Whether Chorus wrote a description. The task's words may have changed since the copy was made.
 */
export function earlierNote(
  copy: Note | null,
  own: Note,
  isOwnWords: (description: string) => boolean,
): Note | null {
  if (copy === null) return null;
  const { description, tags, updatedAt } = copy;
  return {
    description: isOwnWords(description) ? "" : description,
    tags: tags.filter(({ key }) => !isOwnTag(key) && entryOf(own.tags, key) === undefined),
    updatedAt,
  };
}

/** A thing of Chorus itself with what was noted about it. */
export function withNote<Thing extends Note>(own: Thing, note: Note | null): Thing {
  if (note === null) return own;
  const { description, tags, updatedAt } = note;
  return {
    ...own,
    description: description === "" ? own.description : description,
    tags: [...own.tags, ...tags.filter(({ key }) => entryOf(own.tags, key) === undefined)],
    updatedAt: Math.max(updatedAt, own.updatedAt),
  };
}

/** A thing of people, or a note, after this. */
export function noting<Thing extends Note>(thing: Thing, asked: Noting, updatedAt: number): Thing {
  switch (asked.type) {
    case "describe":
      return { ...thing, description: asked.description, updatedAt };
    case "set-tag":
      return { ...thing, tags: withEntry(thing.tags, asked.tag), updatedAt };
    case "delete-tag":
      return { ...thing, tags: withoutEntry(thing.tags, asked.key), updatedAt };
  }
}

/** The note about a thing of Chorus itself after this. Errors: FORBIDDEN for a tag that only Chorus writes. */
export function notingOwn(note: Note | null, asked: Noting, updatedAt: number): Result<Note, WireError> {
  const key = asked.type === "set-tag" ? asked.tag.key : asked.type === "delete-tag" ? asked.key : "";
  if (isOwnTag(key))
    return refused("FORBIDDEN", `Chorus itself writes the tag ${key} here. Use another key for your own.`);
  return ok(noting(note ?? { description: "", tags: [], updatedAt }, asked, updatedAt));
}
