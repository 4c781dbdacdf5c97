import type { Answer, Call } from "#shared/kernel/calls.ts";
import type { OpenError, Participant, ParticipantEnd, ParticipantOptions } from "../core/participant/door.ts";
import type { ParticipantView } from "../core/view.ts";

/*
 * Messages between page and worker, by postMessage.
 *
 * | from   | kind       | carries                                                                                    |
 * | ------ | ---------- | ------------------------------------------------------------------------------------------ |
 * | page   | open       | options and the name of the worker's lock (life-lock.ts); answered by opened or not-opened |
 * | page   | call       | a method and its arguments (shared/kernel/calls.ts)                                        |
 * | page   | visibility | whether the tab is hidden                                                                  |
 * | page   | network    | the browser's event, offline or online                                                     |
 * | page   | ping       | answered by pong                                                                           |
 * | worker | opened     | the first view                                                                             |
 * | worker | not-opened | why there is no participant                                                                |
 * | worker | view       | the slices that changed                                                                    |
 * | worker | done       | what the method returned                                                                   |
 * | worker | failed     | a fault of this program                                                                    |
 * | worker | pong       |                                                                                            |
 * | worker | ended      | why the participant cannot go on                                                           |
 */

/** The door's actions that run in the worker. */
export type Actions = Omit<Participant, "view" | "subscribe" | "onEnd" | "close">;
export type Method = keyof Actions;

export interface MethodCall {
  readonly method: Method;
  readonly args: readonly unknown[];
}

export type ToWorker =
  | {
      readonly kind: "open";
      readonly options: ParticipantOptions;
      readonly hidden: boolean;
      readonly life: string;
    }
  | Call<MethodCall>
  | { readonly kind: "visibility"; readonly hidden: boolean }
  | { readonly kind: "network"; readonly event: "offline" | "online" }
  | { readonly kind: "ping" };

export type FromWorker =
  | { readonly kind: "opened"; readonly view: ParticipantView }
  | { readonly kind: "not-opened"; readonly error: OpenError }
  | { readonly kind: "view"; readonly patch: Partial<ParticipantView> }
  | Answer<unknown>
  | { readonly kind: "pong" }
  | { readonly kind: "ended"; readonly end: ParticipantEnd };
