"use client";
import { type QueryClient, useQueryClient } from "@tanstack/react-query";
import { useEffect, useSyncExternalStore } from "react";
import { io } from "socket.io-client";
import {
  type EventView,
  eventViewSchema,
  type RoundDetail,
  type RoundView,
  type RunView,
  roundViewSchema,
  runViewSchema,
} from "#shared/protocol/api.ts";
import { mergeEvents } from "../words/sentences.ts";
import { KEYS } from "./queries.ts";

/*
 * Live figures: the socket /dash says "run", "round" and "event", and what it says goes into the same cache that the
 * requests fill. After a gap everything shown is asked for again; until then the old figures stay, dated.
 */

export type Link =
  | { readonly state: "idle" }
  | { readonly state: "connecting" }
  | { readonly state: "live" }
  | { readonly state: "lost"; readonly sinceIso: string };

const IDLE: Link = { state: "idle" };
let link: Link = IDLE;
const listeners = new Set<() => void>();
function setLink(next: Link): void {
  // A link that is already lost stays lost since the same moment, however often reconnecting fails.
  if (next.state === "lost" && link.state === "lost") return;
  link = next;
  for (const listener of listeners) listener();
}
function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Whether the figures on this page are live, for the top bar and for controls that need the coordinator. */
export function useLink(): Link {
  return useSyncExternalStore(
    subscribe,
    () => link,
    () => IDLE,
  );
}

/** Keeps the cache of this page live while the component is mounted: one run, or all of them. */
export function useWatch(target: { readonly runId: string } | { readonly all: true } | null): void {
  const cache = useQueryClient();
  const runId = target !== null && "runId" in target ? target.runId : null;
  const idle = target === null;
  useEffect(() => {
    if (idle) return;
    setLink({ state: "connecting" });
    const socket = io("/dash", { forceNew: true, transports: ["websocket", "polling"] });
    let connectedBefore = false;
    socket.on("connect", () => {
      socket.emit("watch", runId === null ? { all: true } : { runId }, () => {
        setLink({ state: "live" });
        if (connectedBefore) void cache.invalidateQueries();
        connectedBefore = true;
      });
    });
    const lost = () => setLink({ state: "lost", sinceIso: new Date().toISOString() });
    socket.on("disconnect", lost);
    socket.on("connect_error", lost);
    socket.on("run", (body: unknown) => {
      const run = runViewSchema.safeParse(body);
      if (run.success) writeRun(cache, run.data);
    });
    socket.on("round", (body: unknown) => {
      const round = roundViewSchema.safeParse(body);
      if (round.success) writeRound(cache, round.data);
    });
    socket.on("event", (body: unknown) => {
      const event = eventViewSchema.safeParse(body);
      if (event.success && runId !== null) writeEvent(cache, runId, event.data);
    });
    return () => {
      socket.off();
      socket.disconnect();
      setLink(IDLE);
    };
  }, [cache, runId, idle]);
}

function writeRun(cache: QueryClient, said: RunView): void {
  const before =
    cache.getQueryData<RunView>(KEYS.run(said.runId)) ??
    cache.getQueryData<RunView[]>(KEYS.runs)?.find(({ runId }) => runId === said.runId);
  // Between two rounds there is no current one; the last stays on view until the next opens.
  const run = { ...said, currentRound: said.currentRound ?? before?.currentRound ?? null };
  cache.setQueryData(KEYS.run(run.runId), run);
  cache.setQueryData<RunView[]>(KEYS.runs, (runs) => {
    if (runs === undefined) return undefined;
    return runs.some(({ runId }) => runId === run.runId)
      ? runs.map((known) => (known.runId === run.runId ? run : known))
      : [run, ...runs];
  });
  if (before?.state !== run.state || before.roundsCommitted !== run.roundsCommitted) {
    void cache.invalidateQueries({ queryKey: KEYS.tasks });
  }
}

const ENDED = new Set(["committed", "voided", "failed"]);

function writeRound(cache: QueryClient, round: RoundView): void {
  const current = (run: RunView): RunView =>
    run.runId === round.runId && (run.currentRound === null || run.currentRound.round <= round.round)
      ? { ...run, currentRound: round }
      : run;
  cache.setQueryData<RunView>(KEYS.run(round.runId), (run) => run && current(run));
  cache.setQueryData<RunView[]>(KEYS.runs, (runs) => runs?.map(current));
  cache.setQueryData<RoundView[]>(KEYS.rounds(round.runId), (rounds) => {
    if (rounds === undefined) return undefined;
    const others = rounds.filter(({ roundId }) => roundId !== round.roundId);
    return [...others, round].toSorted((a, b) => a.round - b.round);
  });
  cache.setQueryData<RoundDetail>(KEYS.round(round.roundId), (detail) => detail && { ...detail, ...round });
  // Hashes and proofs of a round exist once it has ended; they are not in what the socket says.
  if (ENDED.has(round.phase)) void cache.invalidateQueries({ queryKey: KEYS.round(round.roundId) });
}

function writeEvent(cache: QueryClient, runId: string, event: EventView): void {
  cache.setQueryData<EventView[]>(KEYS.events(runId), (events) => events && mergeEvents(events, [event]));
}
