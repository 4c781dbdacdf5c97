import type { ErrorCode } from "#shared/protocol/errors.ts";

interface Details {
  "run.launched": { number: number; actor: string };
  "run.started": { modelHash: string };
  "run.waiting": { ready: number };
  "run.wait-expired": Record<string, never>;
  "run.pause-asked": { actor: string };
  "run.resume-asked": { actor: string };
  "run.stop-asked": { actor: string };
  "run.archive-asked": { actor: string };
  "run.broken": { code: ErrorCode };
  "round.opened": { round: number; modelHash: string };
  "round.invited": { round: number; invited: number };
  "cohort.sealed": { round: number; devices: number } & Needs;
  "round.collecting": { round: number; devices: number } & Needs;
  "inputs.sealed": { round: number; survivors: number };
  "round.opened-sum": { round: number; confirmed: number };
  "round.committed": { round: number; survivors: number; modelHash: string };
  "round.voided": { round: number; code: ErrorCode };
  "round.failed": { round: number; code: ErrorCode };
  "round.retried": { round: number; attempt: number; code: ErrorCode | null };
  "round.damaged": { round: number; damaged: number };
  "round.restarted": { round: number; phase: string };
}

/** How many masked updates a round needs and, if it has several sums, how many shards. */
export type Needs = { needed: number } | { needed: number; shards: number; leftOut: number };

/** The figures of a model that was evaluated, by the measure's name. */
type Figures = Readonly<Record<string, number>>;

interface EvaluatedNote {
  readonly kind: "model.evaluated";
  readonly details: Readonly<{ round: number; modelHash: string; code: ErrorCode | null }>;
  /** Of those that have one: the unit of a number that the task learns. */
  readonly units?: Readonly<Record<string, string>>;
  /** Absent in earlier notes, which have them among their details. */
  readonly figures?: Figures;
}

/** What people read of an event. Stored as it is: a kind or a detail that is renamed leaves earlier rows without words. */
export type Note =
  | {
      [Kind in keyof Details]: { readonly kind: Kind; readonly details: Readonly<Details[Kind]> };
    }[keyof Details]
  | EvaluatedNote;
