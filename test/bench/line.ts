/** One figure of a bench; `peer` names what was measured beside it in the same run. */
export interface BenchLine {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly peer?: string;
  readonly peerValue?: number;
  readonly ratio?: number;
}

export interface Bench {
  readonly name: string;
  run(): AsyncIterable<BenchLine>;
}
