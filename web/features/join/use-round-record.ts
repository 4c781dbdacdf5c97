"use client";
import { keepPreviousData, skipToken, useQuery } from "@tanstack/react-query";
import { useContext, useEffect } from "react";
import type { OwnRound } from "#client/index.ts";
import { selectPrimitives } from "#shared/crypto/primitives-webcrypto.ts";
import type { RoundDetail, RoundView } from "#shared/protocol/api.ts";
import { isEndPhase } from "#shared/round/phases.ts";
import { roundIdOf } from "#shared/secagg/attempt.ts";
import { getRound } from "../../data/api.ts";
import { BearerContext } from "./use-seen-run.ts";

/** A live round's counts change once a second; a participant's page asks half as often. */
const LIVE_EVERY_MS = 2_000;
/** Limits the requests for a round that never ends, or whose metrics never come, after this device has left it. */
const ASKED_MAX = 60;

/** `pending` until the coordinator has answered; until then the record is that of the previous round. */
export interface RoundRecord {
  readonly record: RoundDetail | null;
  readonly pending: boolean;
}

/** The round that this device is in or was last in; fetched at each step of this device and every two seconds. */
export function useLiveRecord(round: OwnRound | null): RoundRecord {
  const answer = useRoundQuery(round?.runId ?? null, round?.round ?? null, "live", hasEnded);
  const { refetch } = answer;
  const step = round?.step ?? null;
  useEffect(() => {
    if (step !== null) void refetch({ cancelRefetch: false });
  }, [refetch, step]);
  return { record: answer.data ?? null, pending: answer.isPending || answer.isPlaceholderData };
}

/** A round that has ended for this device; fetched until the coordinator has published and evaluated it. */
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
  const bearer = useContext(BearerContext);
  return useQuery({
    queryKey: ["round-of", runId, round, purpose],
    queryFn:
      runId === null || round === null
        ? skipToken
        : async () => getRound(await roundIdFor(runId, round), await bearer()),
    placeholderData: keepPreviousData,
    refetchInterval: ({ state }) =>
      (state.data !== undefined && enough(state.data)) || state.dataUpdateCount > ASKED_MAX
        ? false
        : LIVE_EVERY_MS,
  });
}

export function hasEnded({ phase }: RoundView): boolean {
  return isEndPhase(phase);
}

/** The metrics of a new model arrive a moment later. */
function isJudged(view: RoundView): boolean {
  return (
    hasEnded(view) && (view.phase !== "committed" || view.measures !== null || view.notEvaluated != null)
  );
}

/** The public id follows from run and number. */
async function roundIdFor(runId: string, round: number): Promise<string> {
  return roundIdOf(await selectPrimitives(crypto.subtle), runId, round);
}
