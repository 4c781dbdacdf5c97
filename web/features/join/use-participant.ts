"use client";
import { startTransition, useEffect, useState } from "react";
import {
  type OpenError,
  openParticipant,
  type Participant,
  type ParticipantEnd,
  type ParticipantOptions,
  type ParticipantView,
} from "#client/index.ts";
import { coordinatorOrigin } from "../../data/coordinator.ts";
import { linkToken } from "./link-token.ts";

export type ParticipantState =
  | { readonly state: "opening" }
  | { readonly state: "refused"; readonly error: OpenError }
  | { readonly state: "open"; readonly participant: Participant }
  /** The participant cannot go on. `tookPart`: it was taking part until then. */
  | { readonly state: "ended"; readonly end: ParticipantEnd; readonly tookPart: boolean };

export interface Attempt {
  readonly number: number;
  /** Takes part again as soon as it is open. */
  readonly starts: boolean;
}

/** Opens this browser's part in a task, and closes its worker with the page. A new `attempt` opens it again. */
export function useParticipant(task: string, attempt: Attempt): ParticipantState {
  const [opening, setOpening] = useState<ParticipantState>({ state: "opening" });
  useEffect(() => {
    let over = false;
    let participant: Participant | null = null;
    setOpening({ state: "opening" });
    void (async () => {
      const joinToken = linkToken(task);
      const terms = { ...namedEngine(), ...(joinToken === null ? {} : { joinToken }) };
      const opened = await openParticipant({ coordinatorUrl: coordinatorOrigin(), task, ...terms });
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
      // A refusal is shown in the view, and an end has its own state.
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

/** `?engine=webgpu` selects that engine, even a software adapter; for tests. */
function namedEngine(): Pick<ParticipantOptions, "backend"> {
  const name = new URLSearchParams(location.search).get("engine");
  const backend = (["webgpu", "webgl", "wasm", "cpu"] as const).find((known) => known === name);
  return backend === undefined ? {} : { backend };
}

/**
 * The newest view. Updates are transitions, which React renders in slices: the end of a round changes half of the page,
 * and must not block a pen or a tap.
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
