"use client";
import { startTransition, useCallback, useEffect, useMemo, useRef, useState } from "react";
import { openSample, type Sample, type SampleView } from "#client/index.ts";
import {
  type Draft,
  type DraftAbout,
  type DraftColumn,
  type DraftRules,
  versionOf,
} from "#shared/sample/draft.ts";
import type { KindClash } from "#shared/sample/draft-sample.ts";
import { type DraftResult, taskOfDraft } from "#shared/sample/draft-task.ts";
import type { ColumnFields } from "#shared/sample/propose-columns.ts";
import { dropDraft, keepDraft } from "../../data/drafts.ts";
import { keptStorage } from "../../data/storage.ts";
import { type RowsState, useRows } from "./use-rows.ts";
import { anewWithSample, clashOf, withSample } from "./with-sample.ts";

/** Typing is kept once it has paused for so long. */
const KEEP_AFTER_MS = 400;

export interface Workshop {
  readonly draft: Draft | null;
  readonly result: DraftResult | null;
  readonly sample: SampleView | null;
  /** Another one for each file that is chosen. */
  readonly source: Sample | null;
  /** Set if the sample is of another kind than the draft; it then does nothing until someone has chosen. */
  readonly clash: KindClash | null;
  /** The sample's rows as the draft takes them. */
  readonly rows: RowsState;
  /** Unix milliseconds; null before the first time, or if the browser keeps nothing. */
  readonly keptAt: number | null;
  /** True once someone tried to publish: what is missing is shown in red only then. */
  readonly hasTried: boolean;
  readonly version: number;
  choose(files: readonly File[]): void;
  /** Reads the same files again, every quote as a letter. */
  readQuotesAsLetters(): void;
  forgetSample(): void;
  /** Answers to a clash: a new draft for the sample, beside the one that is kept; or the draft without the sample. */
  beginAnew(): void;
  putSampleAway(): void;
  begin(draft: Draft, id?: string): void;
  startOver(): void;
  change(update: (draft: Draft) => Draft): void;
  setRule<Name extends keyof DraftRules>(name: Name, value: DraftRules[Name]): void;
  setAbout(name: keyof DraftAbout, value: string): void;
  setColumn(at: number, change: Partial<ColumnFields>): void;
  tryToPublish(): void;
  /** After publishing: the draft is not needed any more. */
  drop(): void;
  keepNow(): void;
}

export function useWorkshop(): Workshop {
  const [draft, setDraft] = useState<Draft | null>(null);
  const [source, setSource] = useState<Sample | null>(null);
  const [sample, setSample] = useState<SampleView | null>(null);
  const [keptAt, setKeptAt] = useState<number | null>(null);
  const [hasTried, setHasTried] = useState(false);
  const id = useRef<string>("");
  const chosen = useRef<readonly File[]>([]);
  const isDropped = useRef(false);

  useEffect(() => () => source?.close(), [source]);
  useEffect(() => {
    if (source === null) return;
    // What arrives while one types waits for the keys, and a wide table is rendered in pieces (K8).
    const follow = () =>
      startTransition(() => {
        const view = source.view();
        setSample(view);
        setDraft((before) => withSample(before, view));
      });
    follow();
    return source.subscribe(follow);
  }, [source]);

  const keepNow = useCallback(() => {
    if (draft === null || isDropped.current) return;
    if (id.current === "") id.current = crypto.randomUUID();
    const savedAt = Date.now();
    setKeptAt(keepDraft(keptStorage(), { id: id.current, savedAt, draft }) ? savedAt : null);
  }, [draft]);
  useEffect(() => {
    const timer = setTimeout(keepNow, KEEP_AFTER_MS);
    return () => clearTimeout(timer);
  }, [keepNow]);

  const version = draft === null ? 1 : versionOf(draft);
  const result = useMemo(() => (draft === null ? null : taskOfDraft(draft)), [draft]);
  const clash = useMemo(() => clashOf(draft, sample), [draft, sample]);
  const rows = useRows({ source: clash === null ? source : null, sample, result });
  const change = useCallback(
    (update: (draft: Draft) => Draft) => setDraft((now) => (now === null ? null : update(now))),
    [],
  );
  const forgetSample = useCallback(() => {
    setSource(null);
    setSample(null);
    setDraft((now) => (now === null ? null : { ...now, sample: null }));
  }, []);
  return {
    draft,
    result,
    sample,
    source,
    clash,
    rows,
    keptAt,
    hasTried,
    version,
    choose: useCallback((files) => {
      chosen.current = files;
      setSource(openSample(files));
    }, []),
    readQuotesAsLetters: useCallback(() => setSource(openSample(chosen.current, { plainQuotes: true })), []),
    forgetSample,
    beginAnew: useCallback(() => {
      if (draft === null || sample === null) return;
      keepNow();
      id.current = "";
      setHasTried(false);
      setDraft(anewWithSample(draft, sample));
    }, [draft, sample, keepNow]),
    putSampleAway: useCallback(() => {
      setSource(null);
      setSample(null);
    }, []),
    begin: useCallback((begun, known = "") => {
      id.current = known;
      setHasTried(false);
      setDraft(begun);
    }, []),
    startOver: useCallback(() => {
      if (id.current !== "") dropDraft(keptStorage(), id.current);
      id.current = "";
      setSource(null);
      setSample(null);
      setKeptAt(null);
      setHasTried(false);
      setDraft(null);
    }, []),
    change,
    setRule: useCallback(
      (name, value) => change((now) => ({ ...now, rules: { ...now.rules, [name]: value } })),
      [change],
    ),
    setAbout: useCallback(
      (name, value) => change((now) => ({ ...now, about: { ...now.about, [name]: value } })),
      [change],
    ),
    setColumn: useCallback(
      (at, fields) =>
        change((now) => ({
          ...now,
          columns: now.columns.map((column, index) => changedColumn(column, index, at, fields)),
        })),
      [change],
    ),
    tryToPublish: useCallback(() => setHasTried(true), []),
    drop: useCallback(() => {
      isDropped.current = true;
      if (id.current !== "") dropDraft(keptStorage(), id.current);
      id.current = "";
    }, []),
    keepNow,
  };
}

/** Only one column is what is learnt, so choosing another frees the first. */
function changedColumn(
  column: DraftColumn,
  index: number,
  at: number,
  fields: Partial<ColumnFields>,
): DraftColumn {
  if (index === at) return { ...column, edited: { ...column.edited, ...fields } };
  const isLabel = { ...column.proposed, ...column.edited }.use === "label";
  return fields.use === "label" && isLabel
    ? { ...column, edited: { ...column.edited, use: "input" } }
    : column;
}
