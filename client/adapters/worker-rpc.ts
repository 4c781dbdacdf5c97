import type { ParticipantView } from "../core/view.ts";
import type { OpenError, Participant, ParticipantEnd, ParticipantOptions } from "../index.ts";

/*
 * Page and worker, by postMessage.
 *
 * | from   | kind       | carries                                                                   |
 * | ------ | ---------- | ------------------------------------------------------------------------- |
 * | page   | open       | the options and the name of the worker's lock (life-lock.ts); answered once by opened |
 * | page   | call       | id, method, arguments; answered by result or failed with the same id      |
 * | page   | visibility | whether the tab is hidden                                                 |
 * | page   | ping       | answered by pong                                                          |
 * | worker | opened     | the first view, or why there is none                                      |
 * | worker | view       | the slices that changed                                                   |
 * | worker | result     | id, value                                                                 |
 * | worker | failed     | id, message of a fault of this program                                    |
 * | worker | pong       |                                                                           |
 * | worker | ended      | why it cannot go on                                                       |
 */

/** The actions of the door that run in the worker. */
export type Actions = Omit<Participant, "view" | "subscribe" | "onEnd" | "close">;
export type Method = keyof Actions;

export type ToWorker =
  | {
      readonly kind: "open";
      readonly options: ParticipantOptions;
      readonly hidden: boolean;
      readonly life: string;
    }
  | { readonly kind: "call"; readonly id: number; readonly method: Method; readonly args: readonly unknown[] }
  | { readonly kind: "visibility"; readonly hidden: boolean }
  | { readonly kind: "ping" };

export type FromWorker =
  | { readonly kind: "opened"; readonly view: ParticipantView }
  | { readonly kind: "not-opened"; readonly error: OpenError }
  | { readonly kind: "view"; readonly patch: Partial<ParticipantView> }
  | { readonly kind: "result"; readonly id: number; readonly value: unknown }
  | { readonly kind: "failed"; readonly id: number; readonly message: string }
  | { readonly kind: "pong" }
  | { readonly kind: "ended"; readonly end: ParticipantEnd };
