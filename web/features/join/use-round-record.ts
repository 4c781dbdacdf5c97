"use client";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useEffect } from "react";
import type { RoundView as OwnRound } from "#client/index.ts";
import type { RoundDetail, RoundView, RunView } from "#shared/protocol/api.ts";
import { getRound, getRun, getTask } from "../../data/api.ts";
import { KEYS } from "../../data/queries.ts";

/** While a round lives its counts change once a second; a participant's page asks half as often. */
const LIVE_EVERY_MS = 2_000;
/** A round that does not end, or whose metrics never come, is not asked for forever once this device is out of it. */
const ASKED_MAX = 60;

/** The run that this device takes part in, as everyone sees it; asked for once a round. */
export function useRunRecord(runId: string | null, round: number | null, over: boolean): RunView | null {
  const { data } = useQuery({
    queryKey: [...KEYS.run(runId ?? ""), "at", round, over],
    queryFn: () => getRun(runId ?? ""),
    enabled: runId !== null,
    placeholderData: keepPreviousData,
  });
  return data ?? null;
}

/** While a device waits its run may wait too, or another one of the task may have its turn. */
const RUN_EVERY_MS = 5_000;

/** The run of this task that has its turn, while this device waits for a round; null if there is none. */
export function useActiveRun(slug: string, waits: boolean): RunView | null {
  const { data } = useQuery({
    queryKey: ["active-run", slug],
    queryFn: async () => {
      const { activeRunId } = await getTask(slug);
      return activeRunId === null ? null : getRun(activeRunId);
    },
    enabled: waits,
    refetchInterval: RUN_EVERY_MS,
  });
  return waits ? (data ?? null) : null;
}

/** `pending` while the coordinator has not answered yet; until then the record is that of the round before. */
export interface RoundRecord {
  readonly record: RoundDetail | null;
  readonly pending: boolean;
}

/** The round that this device is in, or was in last; asked for at each step of this device, and every two seconds. */
export function useLiveRecord(round: OwnRound | null): RoundRecord {
  const answer = useRoundQuery(round?.runId ?? null, round?.round ?? null, "live", hasEnded);
  const { refetch } = answer;
  const step = round?.step ?? null;
  useEffect(() => {
    if (step !== null) void refetch({ cancelRefetch: false });
  }, [refetch, step]);
  return { record: answer.data ?? null, pending: answer.isPending || answer.isPlaceholderData };
}

/** A round whose outcome this device has, asked for until the coordinator has published and judged it. */
export function useEndedRecord(runId: string | null, round: number | null): RoundRecord {
  const { data, isPending, isPlaceholderData } = useRoundQuery(runId, round, "ended", isJudged);
  const unfinished = data !== undefined && !hasEnded(data);
  return { record: data ?? null, pending: isPending || isPlaceholderData || unfinished };
}

function useRoundQuery(
  runId: string | null,
  round: number | null,
  purpose: "live" | "ended",
  enough: (view: RoundView) => boolean,
) {
  return useQuery({
    queryKey: ["round-of", runId, round, purpose],
    queryFn: async () => getRound(await roundIdFor(runId ?? "", round ?? 0)),
    enabled: runId !== null && round !== null,
    placeholderData: keepPreviousData,
    refetchInterval: ({ state }) =>
      (state.data !== undefined && enough(state.data)) || state.dataUpdateCount > ASKED_MAX
        ? false
        : LIVE_EVERY_MS,
  });
}

export function hasEnded(view: RoundView): boolean {
  return view.phase === "committed" || view.phase === "voided" || view.phase === "failed";
}

/** The metrics of a new model come a moment after it. */
function isJudged(view: RoundView): boolean {
  return (
    hasEnded(view) && (view.phase !== "committed" || view.accuracy !== null || view.notEvaluated != null)
  );
}

/** The public id follows from run and number; loaded when it is first needed, since the page itself does no cryptography. */
async function roundIdFor(runId: string, round: number): Promise<string> {
  const [{ roundIdOf }, { selectPrimitives }] = await Promise.all([
    import("#shared/secagg/attempt.ts"),
    import("#shared/crypto/primitives-webcrypto.ts"),
  ]);
  return roundIdOf(await selectPrimitives(crypto.subtle), runId, round);
}
