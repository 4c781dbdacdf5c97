"use client";
import { useQuery } from "@tanstack/react-query";
import type { RoundView, RunView } from "#shared/protocol/api.ts";
import { getRun, getRunRounds } from "../../lib/api.ts";
import { KEYS } from "../../lib/queries.ts";

/** While a round lives its counts change once a second; a participant's page asks half as often. */
const LIVE_EVERY_MS = 2_000;
const ASKED_MAX = 30;

/** The run that this device is in, as everyone sees it; null while there is none. Asked for again while `live`. */
export function useRunRecord(runId: string | null, live: boolean): RunView | null {
  const { data } = useQuery({
    queryKey: KEYS.run(runId ?? ""),
    queryFn: () => getRun(runId ?? ""),
    enabled: runId !== null,
    refetchInterval: live ? LIVE_EVERY_MS : false,
    refetchIntervalInBackground: false,
  });
  return data ?? null;
}

/** An ended round as everyone sees it; null until the coordinator has published it. */
export function useRoundRecord(runId: string | null, round: number | null): RoundView | null {
  const { data } = useQuery({
    queryKey: [...KEYS.rounds(runId ?? ""), round],
    queryFn: () => getRunRounds(runId ?? ""),
    enabled: runId !== null && round !== null,
    // The outcome reaches this device a moment before the metrics of the new model are written.
    refetchInterval: ({ state }) =>
      isFinal(state.data?.find((view) => view.round === round)) || state.dataUpdateCount > ASKED_MAX
        ? false
        : LIVE_EVERY_MS,
  });
  return data?.find((view) => view.round === round) ?? null;
}

function isFinal(view: RoundView | undefined): boolean {
  if (view === undefined) return false;
  if (view.phase === "committed") return view.accuracy !== null;
  return view.phase === "voided" || view.phase === "failed";
}
