"use client";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import type { RoundView, RunView } from "#shared/protocol/api.ts";
import { getRound, getRun } from "../../lib/api.ts";
import { KEYS } from "../../lib/queries.ts";

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

/** `pending` while the coordinator has not answered yet; until then the record is that of the round before. */
export interface RoundRecord {
  readonly record: RoundView | null;
  readonly pending: boolean;
}

/** A round as everyone sees it, asked for again until it has ended and its model is judged. */
export function useRoundRecord(runId: string | null, round: number | null): RoundRecord {
  const { data, isPending, isPlaceholderData } = useQuery({
    queryKey: ["round-of", runId, round],
    queryFn: async () => getRound(await roundIdFor(runId ?? "", round ?? 0)),
    enabled: runId !== null && round !== null,
    placeholderData: keepPreviousData,
    refetchInterval: ({ state }) =>
      isFinal(state.data) || state.dataUpdateCount > ASKED_MAX ? false : LIVE_EVERY_MS,
  });
  return { record: data ?? null, pending: isPending || isPlaceholderData };
}

/** The public id follows from run and number; loaded when it is first needed, since the page itself does no cryptography. */
async function roundIdFor(runId: string, round: number): Promise<string> {
  const [{ roundIdOf }, { selectPrimitives }] = await Promise.all([
    import("#shared/secagg/attempt.ts"),
    import("#shared/crypto/primitives-webcrypto.ts"),
  ]);
  return roundIdOf(await selectPrimitives(crypto.subtle), runId, round);
}

function isFinal(view: RoundView | undefined): boolean {
  if (view === undefined) return false;
  if (view.phase === "committed") return view.accuracy !== null;
  return view.phase === "voided" || view.phase === "failed";
}
