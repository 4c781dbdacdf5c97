/** One figure of a bench; `peer` names what was measured beside it in the same run. */
export interface BenchLine {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly peer?: string;
  readonly peerValue?: number;
  readonly ratio?: number;
}

export interface BenchOptions {
  /** Sizes at which the figures say nothing, to see that the bench still runs. */
  readonly small?: boolean;
  /** Measures only what has this in its name, where a bench measures several sizes. */
  readonly only?: string | undefined;
  /** Says where the time goes, where a bench can; profiling slows it down, so its figures count for nothing. */
  readonly profile?: boolean | undefined;
}

export interface Bench {
  readonly name: string;
  run(options?: BenchOptions): AsyncIterable<BenchLine>;
}

/** Beside the value what it is compared with. */
export function compared(
  peer: string,
  peerValue: number,
  value: number,
): Required<Pick<BenchLine, "peer" | "peerValue" | "ratio">> {
  return { peer, peerValue, ratio: value / peerValue };
}

/** The value that a `share` of all is at or below; of two middles the lower one. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((left, right) => left - right);
  const value = sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
  if (value === undefined) throw new Error("a quantile of nothing");
  return value;
}
