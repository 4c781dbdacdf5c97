"use client";
import { keepPreviousData, skipToken, useQueries, useQuery } from "@tanstack/react-query";
import {
  getApiDescription,
  getArchivedTasks,
  getLastRound,
  getLogState,
  getOlderRuns,
  getPortability,
  getRound,
  getRun,
  getRunEvents,
  getRunRounds,
  getRuns,
  getRunsOf,
  getSettings,
  getStatus,
  getTask,
  getTasks,
  getVersions,
} from "./api.ts";
import { getTaskHistory, lookAtArchive } from "./held-out.ts";

/** Keys of the page's cache; live.tsx writes the socket's data under the same keys. */
export const KEYS = {
  status: ["status"] as const,
  apiDescription: ["api-description"] as const,
  tasks: ["tasks"] as const,
  newestTask: (slug: string) => ["task", slug] as const,
  task: (slug: string | undefined, version: number | undefined) => ["task", slug, version] as const,
  runs: ["runs"] as const,
  runsOf: (task: string) => ["runs", task] as const,
  run: (runId: string | null) => ["run", runId] as const,
  rounds: (runId: string | undefined) => ["rounds", runId] as const,
  events: (runId: string) => ["events", runId] as const,
  round: (roundId: string) => ["round", roundId] as const,
};

/** Devices come and go without events, so the counts of tasks are fetched at this interval. */
const DEVICE_COUNT_EVERY_MS = 10_000;

export const useStatus = () => useQuery({ queryKey: KEYS.status, queryFn: getStatus, staleTime: 60_000 });
/** Entries come with every round, and trouble without an event. */
const LOG_STATE_EVERY_MS = 5_000;
/** @param isFor  Whether this reader may know. */
export const useLogState = (isFor: boolean) =>
  useQuery({
    queryKey: ["log-state"],
    queryFn: isFor ? getLogState : skipToken,
    refetchInterval: LOG_STATE_EVERY_MS,
    retry: false,
  });
/** It never changes while the coordinator runs. */
export const useApiDescription = () =>
  useQuery({
    queryKey: KEYS.apiDescription,
    queryFn: getApiDescription,
    staleTime: Number.POSITIVE_INFINITY,
  });
export const useTasks = () =>
  useQuery({ queryKey: KEYS.tasks, queryFn: getTasks, refetchInterval: DEVICE_COUNT_EVERY_MS });
/** Archived tasks too, if asked. */
export const useAllTasks = (withArchived: boolean) =>
  useQuery({
    queryKey: [...KEYS.tasks, withArchived ? "all" : "open"],
    queryFn: () => (withArchived ? getArchivedTasks() : getTasks()),
    refetchInterval: DEVICE_COUNT_EVERY_MS,
  });
/** The newest version of a task; of none, if `slug` is null. */
export const useNewestTask = (slug: string | null) =>
  useQuery({
    queryKey: KEYS.newestTask(slug ?? ""),
    queryFn: slug === null ? skipToken : () => getTask(slug),
    refetchInterval: DEVICE_COUNT_EVERY_MS,
  });
/** At least `count` versions of a task, if there are as many, newest first. They change only if there is a newer one. */
export const useVersions = (slug: string, newest: number, count: number) =>
  useQuery({
    queryKey: ["versions", slug, newest, count],
    queryFn: () => getVersions(slug, count),
    placeholderData: keepPreviousData,
    staleTime: Number.POSITIVE_INFINITY,
  });
/** Settings as set, for what no participant is shown. */
export const useSettings = (slug: string) =>
  useQuery({ queryKey: ["settings", slug], queryFn: () => getSettings(slug) });
export const useTaskHistory = (slug: string) =>
  useQuery({ queryKey: ["history", slug], queryFn: () => getTaskHistory(slug) });
export const useArchiveView = (slug: string, mayRead: boolean) =>
  useQuery({ queryKey: ["archive", slug], queryFn: mayRead ? () => lookAtArchive(slug) : skipToken });
export const useRuns = () => useQuery({ queryKey: KEYS.runs, queryFn: getRuns });
/** The newest runs of a task, which may be older than all those of `useRuns`. */
export const useRunsOf = (task: string) =>
  useQuery({ queryKey: KEYS.runsOf(task), queryFn: () => getRunsOf(task) });
/**
 * Runs before those of `useRuns` or, if there is a task, of `useRunsOf`.
 *
 * @param count  How many are wanted; none are fetched if it is 0 or less.
 */
export const useOlderRuns = (task: string | null, next: string | null, count: number) =>
  useQuery({
    queryKey: ["older-runs", task, next, count],
    queryFn: next === null || count <= 0 ? skipToken : () => getOlderRuns(task, next, count),
    placeholderData: keepPreviousData,
    staleTime: Number.POSITIVE_INFINITY,
  });
/** The newest round of a run that is over. Fetches nothing without a run. */
export const useLastRound = (runId: string | undefined, version: number) =>
  useQuery({
    queryKey: ["last-round", runId, version],
    queryFn: runId === undefined ? skipToken : () => getLastRound(runId, version),
    staleTime: Number.POSITIVE_INFINITY,
  });
/** Fetches nothing without an id. */
export const useRun = (runId: string | undefined) =>
  useQuery({
    queryKey: KEYS.run(runId ?? null),
    queryFn: runId === undefined ? skipToken : () => getRun(runId),
  });
/** Runs that no list has brought; those that have not come yet are left out. */
export const useRunsById = (runIds: readonly string[]) =>
  useQueries({
    queries: runIds.map((runId) => ({ queryKey: KEYS.run(runId), queryFn: () => getRun(runId) })),
    combine: (results) => results.flatMap(({ data }) => (data === undefined ? [] : [data])),
  });
/** Fetches nothing until the run is known. */
export const useRunRounds = (runId: string | undefined) =>
  useQuery({
    queryKey: KEYS.rounds(runId),
    queryFn: runId === undefined ? skipToken : () => getRunRounds(runId),
  });
/** How a model does in other tools. Fetches nothing without a version, and each model once: it takes the coordinator seconds. */
export const usePortability = (slug: string, version: number | null) =>
  useQuery({
    queryKey: ["portability", slug, version],
    queryFn: version === null ? skipToken : () => getPortability(slug, version),
    staleTime: Number.POSITIVE_INFINITY,
    retry: false,
  });
export const useRunEvents = (runId: string) =>
  useQuery({ queryKey: KEYS.events(runId), queryFn: () => getRunEvents(runId) });
export const useRound = (roundId: string) =>
  useQuery({ queryKey: KEYS.round(roundId), queryFn: () => getRound(roundId) });

/** Events before those of `useRunEvents`, as in `useOlderRuns`. */
export const useOlderEvents = (runId: string, next: string | null, count: number) =>
  useQuery({
    queryKey: ["older-events", runId, next, count],
    queryFn: next === null || count <= 0 ? skipToken : () => getRunEvents(runId, count, next),
    placeholderData: keepPreviousData,
    staleTime: Number.POSITIVE_INFINITY,
  });

/** The task in exactly the run's version; fetched once the run is known. */
export const useTask = (slug: string | undefined, version: number | undefined) =>
  useQuery({
    queryKey: KEYS.task(slug, version),
    queryFn: slug === undefined || version === undefined ? skipToken : () => getTask(slug, version),
    refetchInterval: DEVICE_COUNT_EVERY_MS,
  });
