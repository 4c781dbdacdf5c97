"use client";
import { keepPreviousData, skipToken, useQuery } from "@tanstack/react-query";
import type { z } from "zod";
import type { TableFormat } from "#shared/export/table/formats.ts";
import { runViewSchema } from "#shared/protocol/api.ts";
import { runNamesSchema, runSearchSchemaOf } from "#shared/protocol/run-search.ts";
import { API, read } from "./api.ts";

/* Runs of all tasks, as the coordinator finds and orders them. */

const searchSchema = runSearchSchemaOf(runViewSchema);
type RunSearch = z.output<typeof searchSchema>;

export interface SearchText {
  readonly filter: string;
  /** As MLflow's `order_by`; empty for the newest first. */
  readonly order: string;
}

/** Runs on one page. */
export const RUNS_PER_PAGE = 25;
/** Other people launch runs, and figures come with rounds. */
const SEARCH_EVERY_MS = 10_000;

/**
 * A page of what a search finds; nothing is asked without a search. What was found last stays while the next is fetched.
 *
 * @param page  From 1.
 */
export const useRunSearch = (text: SearchText | null, page: number) =>
  useQuery({
    queryKey: ["run-search", text, page],
    queryFn: text === null ? skipToken : () => searchRuns(text, RUNS_PER_PAGE * (page - 1), RUNS_PER_PAGE),
    placeholderData: keepPreviousData,
    refetchInterval: SEARCH_EVERY_MS,
    retry: false,
  });

/** The first `count` runs that a search finds. They are whole and many, so nobody asks again while they are shown. */
export const useFoundRuns = (text: SearchText | null, count: number) =>
  useQuery({
    queryKey: ["found-runs", text, count],
    queryFn: text === null ? skipToken : () => searchRuns(text, 0, count),
    placeholderData: keepPreviousData,
    staleTime: 60_000,
    refetchOnWindowFocus: false,
    retry: false,
  });

/** What runs have that one may filter, order and show. */
export const useRunNames = () =>
  useQuery({
    queryKey: ["run-names"],
    queryFn: () => read(runNamesSchema, "/experiments/names"),
    staleTime: 30_000,
  });

/** Large runs make short answers, so it asks until the page is full. */
async function searchRuns(text: SearchText, from: number, count: number): Promise<RunSearch> {
  const items: RunSearch["items"] = [];
  for (;;) {
    const limit = Math.min(100, count - items.length);
    const query = `${queryOf(text)}&limit=${limit}&cursor=o${from + items.length}`;
    const part = await read(searchSchema, `/experiments?${query}`);
    items.push(...part.items);
    if (part.next === null || items.length >= count) return { ...part, items };
  }
}

export const runsFileUrl = (text: SearchText, format: TableFormat) =>
  `${API}/experiments/files/${format}?${queryOf(text)}`;

const queryOf = ({ filter, order }: SearchText): string => new URLSearchParams({ filter, order }).toString();
