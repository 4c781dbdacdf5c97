"use client";
import { startTransition, useEffect, useState } from "react";
import type {
  OpenError,
  Participant,
  ParticipantEnd,
  ParticipantOptions,
  ParticipantView,
} from "#client/index.ts";

export type Opening =
  | { readonly state: "opening" }
  | { readonly state: "refused"; readonly error: OpenError }
  | { readonly state: "open"; readonly participant: Participant }
  /** It cannot go on. `tookPart`: it was taking part until then. */
  | { readonly state: "ended"; readonly end: ParticipantEnd; readonly tookPart: boolean };

export interface Attempt {
  readonly number: number;
  /** Takes part again as soon as it is open. */
  readonly starts: boolean;
}

/** Opens this browser's part in a task, and closes its worker with the page. Another `attempt` opens it again. */
export function useParticipant(task: string, attempt: Attempt): Opening {
  const [opening, setOpening] = useState<Opening>({ state: "opening" });
  useEffect(() => {
    let over = false;
    let participant: Participant | null = null;
    setOpening({ state: "opening" });
    void (async () => {
      const { openParticipant } = await import("#client/index.ts");
      if (over) return;
      const opened = await openParticipant({ coordinatorUrl: location.origin, task, ...namedEngine() });
      if (!opened.ok) {
        if (!over) setOpening({ state: "refused", error: opened.error });
        return;
      }
      participant = opened.value;
      if (over) {
        await participant.close();
        return;
      }
      const { view, onEnd, start } = participant;
      onEnd((end) => {
        if (!over) setOpening({ state: "ended", end, tookPart: TAKES_PART.has(view().stage) });
      });
      setOpening({ state: "open", participant });
      // A refusal shows in the view, and an end in its own state.
      if (attempt.starts) await start().catch(() => undefined);
    })();
    return () => {
      over = true;
      void participant?.close();
    };
  }, [task, attempt]);
  return opening;
}

const TAKES_PART: ReadonlySet<ParticipantView["stage"]> = new Set([
  "connecting",
  "waiting",
  "in-round",
  "mending",
]);

/** `?engine=webgpu` takes that engine, a software adapter too; for tests. */
function namedEngine(): Pick<ParticipantOptions, "backend"> {
  const name = new URLSearchParams(location.search).get("engine");
  const backend = (["webgpu", "webgl", "wasm", "cpu"] as const).find((known) => known === name);
  return backend === undefined ? {} : { backend };
}

/**
 * The newest view. Updates are transitions, which React renders in slices: a round that ends changes half of the page,
 * and that must not hold up a pen or a tap for longer than a moment.
 */
export function useParticipantView(participant: Participant): ParticipantView {
  const [view, setView] = useState(participant.view);
  useEffect(() => {
    const update = () => startTransition(() => setView(participant.view()));
    update();
    return participant.subscribe(update);
  }, [participant]);
  return view;
}
