import type { z } from "zod";
import type { Figure, GateEvidence, Need } from "./evidence.ts";

/* A gate is a condition that a version meets before it is put in use. What cannot be told is not met. */

export const GATE_STATES = ["open", "shut", "cannot-tell"] as const;
export type GateState = (typeof GATE_STATES)[number];

/** What a gate says of a version. */
export interface Verdict {
  readonly state: GateState;
  /** What it asks for, after "required": "at least 80.0 %". */
  readonly required: string;
  readonly champion: Figure | null;
  readonly candidate: Figure | null;
  /** Candidate less champion. */
  readonly difference: Figure | null;
  /** A sentence. */
  readonly reason: string;
}

type Options = { readonly kind: string };

/** A kind of gate: one file and one entry in `list.ts`. */
export interface GateDefinition<Schema extends z.ZodType<Options> = z.ZodType<Options>> {
  /** Schema of its options under its own `kind`. */
  readonly schema: Schema;
  /** For people, within a sentence. */
  title(gate: z.output<Schema>): string;
  needs(gate: z.output<Schema>): readonly Need[];
  judge(gate: z.output<Schema>, evidence: GateEvidence): Verdict;
}

/** Infers the types of the options. */
export function defineGate<Schema extends z.ZodType<Options>>(
  definition: GateDefinition<Schema>,
): GateDefinition<Schema> {
  return definition;
}
