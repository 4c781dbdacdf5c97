"use client";
import { startTransition, useEffect, useState } from "react";
import type { Sample, SampleRows, SampleView } from "#client/index.ts";
import type { DraftResult } from "#shared/sample/draft-task.ts";
import type { Features } from "#shared/task/features.ts";

export type RowsState =
  | { readonly state: "none" }
  | { readonly state: "reading" }
  | { readonly state: "refused"; readonly sentence: string }
  | { readonly state: "read"; readonly rows: SampleRows };

/** Reading begins once typing has paused for so long. */
const QUIET_MS = 600;

interface RowsOf {
  readonly source: Sample | null;
  readonly sample: SampleView | null;
  readonly result: DraftResult | null;
}

/** The sample's rows as the draft's features take them, read again when these change. */
export function useRows({ source, sample, result }: RowsOf): RowsState {
  const features = result?.features ?? null;
  const key = features === null ? "" : JSON.stringify(features);
  const isRead = sample?.state === "read";
  const [rows, setRows] = useState<{
    readonly source: Sample | null;
    readonly key: string;
    readonly state: RowsState;
  }>({ source: null, key: "", state: { state: "none" } });
  useEffect(() => {
    if (source === null || key === "" || !isRead) return;
    let isOver = false;
    const timer = setTimeout(() => {
      void readRows(source, JSON.parse(key) as Features).then((state) => {
        if (!isOver) startTransition(() => setRows({ source, key, state }));
      });
    }, QUIET_MS);
    return () => {
      isOver = true;
      clearTimeout(timer);
    };
  }, [source, key, isRead]);
  if (source === null || features === null) return { state: "none" };
  return rows.source === source && rows.key === key ? rows.state : { state: "reading" };
}

async function readRows(source: Sample, features: Features): Promise<RowsState> {
  try {
    const read = await source.rows(features);
    return read.ok ? { state: "read", rows: read.value } : { state: "refused", sentence: read.error };
  } catch (fault) {
    const reason = fault instanceof Error ? fault.message : String(fault);
    return { state: "refused", sentence: `The sample could not be read again (${reason}). Choose it again.` };
  }
}
