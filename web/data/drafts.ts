import type { Draft } from "#shared/sample/draft.ts";

/*
 * Drafts of tasks, kept in this browser. They have no row of a sample, so that a reload keeps what was typed and loses the
 * sample.
 */

const PREFIX = "chorus draft ";

export interface KeptDraft {
  readonly id: string;
  /** Unix milliseconds. */
  readonly savedAt: number;
  readonly draft: Draft;
}

/** Newest first. What another version of this page has kept is left alone and not listed. */
export function listDrafts(storage: Storage | null): KeptDraft[] {
  const kept: KeptDraft[] = [];
  if (storage === null) return kept;
  for (let at = 0; at < storage.length; at++) {
    const key = storage.key(at);
    const one = key?.startsWith(PREFIX) ? readDraft(storage, key.slice(PREFIX.length)) : null;
    if (one !== null) kept.push(one);
  }
  return kept.toSorted((a, b) => b.savedAt - a.savedAt);
}

export function readDraft(storage: Storage, id: string): KeptDraft | null {
  try {
    const value: unknown = JSON.parse(storage.getItem(PREFIX + id) ?? "null");
    if (typeof value !== "object" || value === null || !("draft" in value) || !("savedAt" in value))
      return null;
    const draft = value.draft as Draft;
    return draft.format === 1 && typeof value.savedAt === "number"
      ? { id, savedAt: value.savedAt, draft }
      : null;
  } catch {
    return null;
  }
}

/** @returns false if the browser keeps nothing: a private window, or its storage is full. */
export function keepDraft(storage: Storage | null, { id, savedAt, draft }: KeptDraft): boolean {
  if (storage === null) return false;
  try {
    storage.setItem(PREFIX + id, JSON.stringify({ savedAt, draft }));
    return true;
  } catch {
    return false;
  }
}

export function dropDraft(storage: Storage | null, id: string): void {
  storage?.removeItem(PREFIX + id);
}
