/** One figure of a bench; `peer` names the comparison measured in the same run. */
export interface BenchLine {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly peer?: string;
  readonly peerValue?: number;
  readonly ratio?: number;
}

export interface BenchOptions {
  /** Sizes too small for meaningful figures, to check that the bench still runs. */
  readonly small?: boolean;
  /** Measures only sizes with this text in their name, if the bench has several. */
  readonly only?: string | undefined;
  /** Shows where the time goes, if the bench can. Profiling slows it down, so its figures do not count. */
  readonly profile?: boolean | undefined;
}

export interface Bench {
  readonly name: string;
  run(options?: BenchOptions): AsyncIterable<BenchLine>;
}

/** The value together with its comparison. */
export function compared(
  peer: string,
  peerValue: number,
  value: number,
): Required<Pick<BenchLine, "peer" | "peerValue" | "ratio">> {
  return { peer, peerValue, ratio: value / peerValue };
}

/** The value that a `share` of all values is at or below; of two middle values the lower one. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((left, right) => left - right);
  const value = sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
  if (value === undefined) throw new Error("a quantile of nothing");
  return value;
}
