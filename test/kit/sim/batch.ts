import { planOf } from "./plan.ts";
import { simulate } from "./simulate.ts";

/* The process behind `protocol-sim`: plays its seeds one after the other and reports each. */

export interface Batch {
  readonly first: number;
  readonly step: number;
  /** The first seed not to play. */
  readonly end: number;
  readonly rounds?: number;
}

export interface Report {
  readonly seed: string;
  readonly violations: readonly string[];
  readonly ends: readonly (readonly [string, number])[];
  readonly runEnds: readonly (readonly [string, number])[];
}

const [, , argument] = process.argv;
if (process.send !== undefined && argument !== undefined) {
  const { first, step, end, rounds } = JSON.parse(argument) as Batch;
  // The terminal's Ctrl-C reaches this process too; the parent decides what to do.
  process.on("SIGINT", () => {});
  for (let seed = first; seed < end; seed += step) {
    process.send(await play(seed, rounds));
  }
  process.disconnect();
}

async function play(seed: number, rounds: number | undefined): Promise<Report> {
  try {
    const { violations, ends, runEnds } = await simulate(planOf(seed, rounds));
    return { seed: String(seed), violations, ends: [...ends], runEnds: [...runEnds] };
  } catch (error) {
    return {
      seed: String(seed),
      violations: [`a fault: ${error instanceof Error ? error.stack : String(error)}`],
      ends: [],
      runEnds: [],
    };
  }
}
