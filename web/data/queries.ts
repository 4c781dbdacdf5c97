"use client";
import { useQuery } from "@tanstack/react-query";
import {
  getRound,
  getRun,
  getRunEvents,
  getRunRounds,
  getRuns,
  getStatus,
  getTask,
  getTasks,
} from "./api.ts";

/** Addresses in the page's cache; live.tsx writes what the socket says under the same ones. */
export const KEYS = {
  status: ["status"] as const,
  tasks: ["tasks"] as const,
  newestTask: (slug: string) => ["task", slug] as const,
  task: (slug: string, version: number) => ["task", slug, version] as const,
  runs: ["runs"] as const,
  run: (runId: string) => ["run", runId] as const,
  rounds: (runId: string) => ["rounds", runId] as const,
  events: (runId: string) => ["events", runId] as const,
  round: (roundId: string) => ["round", roundId] as const,
};

/** Devices come and go without an event of their own; this often the counts of tasks are asked for again. */
const DEVICE_COUNT_EVERY_MS = 10_000;

export const useStatus = () => useQuery({ queryKey: KEYS.status, queryFn: getStatus, staleTime: 60_000 });
export const useTasks = () =>
  useQuery({ queryKey: KEYS.tasks, queryFn: getTasks, refetchInterval: DEVICE_COUNT_EVERY_MS });
export const useRuns = () => useQuery({ queryKey: KEYS.runs, queryFn: getRuns });
export const useRun = (runId: string) =>
  useQuery({ queryKey: KEYS.run(runId), queryFn: () => getRun(runId) });
/** Nothing is asked for while the run is not known. */
export const useRunRounds = (runId: string | undefined) =>
  useQuery({
    queryKey: KEYS.rounds(runId ?? ""),
    queryFn: () => getRunRounds(runId ?? ""),
    enabled: runId !== undefined,
  });
export const useRunEvents = (runId: string) =>
  useQuery({ queryKey: KEYS.events(runId), queryFn: () => getRunEvents(runId) });
export const useRound = (roundId: string) =>
  useQuery({ queryKey: KEYS.round(roundId), queryFn: () => getRound(roundId) });

/** The task of a run in exactly the version that the run has; asked for once the run is known. */
export const useTask = (slug: string | undefined, version: number | undefined) =>
  useQuery({
    queryKey: KEYS.task(slug ?? "", version ?? 0),
    queryFn: () => getTask(slug ?? "", version),
    enabled: slug !== undefined && version !== undefined,
    refetchInterval: DEVICE_COUNT_EVERY_MS,
  });
