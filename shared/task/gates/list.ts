import { cohort, latency, onnxParity, size } from "./at-most.ts";
import { measure } from "./measure.ts";

/** All kinds of gates. A new kind is a file here and an entry. */
export const GATES = [measure, cohort, onnxParity, size, latency] as const;
