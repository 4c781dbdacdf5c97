"use client";
import { type QueryClient, useQueryClient } from "@tanstack/react-query";
import { useEffect, useSyncExternalStore } from "react";
import { io, type Socket } from "socket.io-client";
import {
  type EventView,
  eventViewSchema,
  type RoundDetail,
  type RoundView,
  type RunView,
  roundViewSchema,
  runViewSchema,
} from "#shared/protocol/api.ts";
import { isEndPhase } from "#shared/round/phases.ts";
import { mergeEvents } from "../words/sentences.ts";
import { getTicket } from "./access.ts";
import type { Listed } from "./api.ts";
import { KEYS } from "./queries.ts";
import { keepWatching, type WatchSocket } from "./watching.ts";

/*
 * Live figures. The socket /dash sends "run", "round" and "event", which go into the same cache as the answers to
 * requests. After a gap everything on the page is fetched again; until then the old figures stay, with their time.
 */

export type Link =
  | { readonly state: "idle" }
  | { readonly state: "connecting" }
  | { readonly state: "live" }
  | { readonly state: "lost"; readonly sinceIso: string };

/** The coordinator acknowledges within this time, or the connection is opened again. In milliseconds. */
const ANSWER_MS = 10_000;

const IDLE: Link = { state: "idle" };
let link: Link = IDLE;
const listeners = new Set<() => void>();
function setLink(next: Link): void {
  // Repeated failures to reconnect do not change the time at which the link was lost.
  if (next.state === "lost" && link.state === "lost") return;
  link = next;
  for (const listener of listeners) listener();
}
function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Whether this page's figures are live, for the top bar and for controls that need the coordinator. */
export function useLink(): Link {
  return useSyncExternalStore(
    subscribe,
    () => link,
    () => IDLE,
  );
}

/** Keeps this page's cache live while the component is mounted: for one run, or for all. */
export function useWatch(target: { readonly runId: string } | { readonly all: true } | null): void {
  const cache = useQueryClient();
  const runId = target !== null && "runId" in target ? target.runId : null;
  const idle = target === null;
  useEffect(() => {
    if (idle) return;
    setLink({ state: "connecting" });
    const socket = io("/dash", { forceNew: true, transports: ["websocket", "polling"] });
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
    const target = runId === null ? ({ all: true } as const) : { runId };
    const ports = { socket: watchSocket(socket), ticket: async () => (await getTicket()).ticket, after };
    const end = keepWatching(target, ports, {
      onLive: (again) => {
        setLink({ state: "live" });
        if (again) void cache.invalidateQueries();
      },
      onLost: () => setLink({ state: "lost", sinceIso: new Date().toISOString() }),
      onEnded: () => void cache.invalidateQueries(),
      onRefused: () => setLink(IDLE),
    });
    return () => {
      socket.off();
      end();
      setLink(IDLE);
    };
  }, [cache, runId, idle]);
}

function watchSocket(socket: Socket): WatchSocket {
  return {
    get connected() {
      return socket.connected;
    },
    connect: () => void socket.connect(),
    disconnect: () => void socket.disconnect(),
    onConnect: (listener) => void socket.on("connect", listener),
    onDisconnect: (listener) =>
      void socket.on("disconnect", (reason) => listener(reason === "io server disconnect")),
    onConnectError: (listener) => void socket.on("connect_error", listener),
    watch: (body) => socket.timeout(ANSWER_MS).emitWithAck("watch", body),
  };
}

function after(ms: number, callback: () => void): () => void {
  const timer = setTimeout(callback, ms);
  return () => clearTimeout(timer);
}

function writeRun(cache: QueryClient, said: RunView): void {
  const before =
    cache.getQueryData<RunView>(KEYS.run(said.runId)) ??
    cache.getQueryData<Listed<RunView>>(KEYS.runs)?.items.find(({ runId }) => runId === said.runId);
  // Between two rounds there is no current one; keep showing the last until the next opens.
  const run = { ...said, currentRound: said.currentRound ?? before?.currentRound ?? null };
  cache.setQueryData(KEYS.run(run.runId), run);
  for (const list of [KEYS.runs, KEYS.runsOf(run.task)])
    cache.setQueryData<Listed<RunView>>(list, (runs) => runs && withRun(runs, run));
  if (before?.state !== run.state || before.roundsCommitted !== run.roundsCommitted) {
    void cache.invalidateQueries({ queryKey: KEYS.tasks });
  }
}

/** A run that the list does not have is new, except for an open one that is older than all of the list. */
function withRun({ items, next }: Listed<RunView>, run: RunView): Listed<RunView> {
  if (items.some(({ runId }) => runId === run.runId))
    return { items: items.map((known) => (known.runId === run.runId ? run : known)), next };
  const last = items.at(-1);
  const isOlder = next !== null && last !== undefined && run.createdAt < last.createdAt;
  return isOlder ? { items, next } : { items: [run, ...items], next };
}

function writeRound(cache: QueryClient, round: RoundView): void {
  const current = (run: RunView): RunView =>
    run.runId === round.runId && (run.currentRound === null || run.currentRound.round <= round.round)
      ? { ...run, currentRound: round }
      : run;
  cache.setQueryData<RunView>(KEYS.run(round.runId), (run) => run && current(run));
  // Those of all tasks and of one.
  cache.setQueriesData<Listed<RunView>>(
    { queryKey: KEYS.runs },
    (runs) => runs && { items: runs.items.map(current), next: runs.next },
  );
  cache.setQueryData<RoundView[]>(KEYS.rounds(round.runId), (rounds) => {
    if (rounds === undefined) return undefined;
    const others = rounds.filter(({ roundId }) => roundId !== round.roundId);
    return [...others, round].toSorted((a, b) => a.round - b.round);
  });
  cache.setQueryData<RoundDetail>(KEYS.round(round.roundId), (detail) => detail && { ...detail, ...round });
  // A round's hashes and proofs exist once it has ended, and the socket does not send them.
  if (isEndPhase(round.phase)) void cache.invalidateQueries({ queryKey: KEYS.round(round.roundId) });
}

function writeEvent(cache: QueryClient, runId: string, event: EventView): void {
  cache.setQueryData<Listed<EventView>>(
    KEYS.events(runId),
    (events) => events && { items: mergeEvents(events.items, [event]), next: events.next },
  );
}
