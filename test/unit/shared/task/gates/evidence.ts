import type { GateEvidence } from "#shared/task/gates/evidence.ts";

const unknown = "Nobody looked.";

export const NOTHING_KNOWN: GateEvidence = {
  measures: [],
  paired: null,
  cohortSizeLeast: { unknown },
  byteCount: { unknown },
  parity: { unknown },
  latency: { unknown },
};
