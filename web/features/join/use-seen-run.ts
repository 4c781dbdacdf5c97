"use client";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { createContext, useContext } from "react";
import type { OwnRound } from "#client/index.ts";
import { getOwnTask } from "../../data/api.ts";
import type { SeenRun } from "../../words/join.ts";

/** Gives the token with which this page's participant reads its task; without one, null. */
export const BearerContext = createContext<() => Promise<string | null>>(() => Promise.resolve(null));

/** While a device waits, its run may wait too, or another run of the task may be active. */
const RUN_EVERY_MS = 5_000;

/**
 * What the task says of its run while this device waits for a round, because only people with a role may read the run
 * itself. A run whose round this device was in has ended if none is active. Null if nothing is known.
 */
export function useSeenRun(slug: string, round: OwnRound | null, waits: boolean): SeenRun | null {
  const bearer = useContext(BearerContext);
  const { data } = useQuery({
    queryKey: ["active-run", slug, round?.runId ?? null, round?.round ?? null],
    queryFn: async () => (await getOwnTask(slug, await bearer())).activeRun ?? null,
    enabled: waits,
    placeholderData: keepPreviousData,
    refetchInterval: RUN_EVERY_MS,
  });
  if (!waits || data === undefined) return null;
  return data ?? { state: round === null ? "none" : "completed", waiting: null };
}
