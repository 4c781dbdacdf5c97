import { z } from "zod";
import { type Figure, type GateEvidence, isUnknown, type Need, type Unknown } from "./evidence.ts";
import { figureText } from "./figure-text.ts";
import { defineGate, type Verdict } from "./gate.ts";

/* Gates that compare one number of the version with a bound. */

/** The weights' file, which every device loads. */
export const size = defineGate({
  schema: z.strictObject({ kind: z.literal("size"), byteCountMax: z.int().min(1) }),
  title: () => "size",
  needs: () => ["size"] satisfies Need[],
  judge: ({ byteCountMax }, { byteCount }) =>
    atMost("Its weights take", byteCountMax, exact(byteCount, "bytes")),
});

/** How long the prediction of one row takes, as a median. */
export const latency = defineGate({
  schema: z.strictObject({ kind: z.literal("latency"), medianMsMax: z.number().gt(0) }),
  title: () => "latency",
  needs: () => ["latency"] satisfies Need[],
  judge: ({ medianMsMax }, { latency: found }) => {
    if (isUnknown(found)) return atMost("", medianMsMax, found, "ms");
    const { medianMs, where } = found;
    const told = atMost("A prediction takes", medianMsMax, exact(medianMs, "ms"));
    return { ...told, reason: `${told.reason} It is a median, measured ${where}.` };
  },
});

/** How far the model as ONNX is from the engine. */
export const onnxParity = defineGate({
  schema: z.strictObject({ kind: z.literal("onnx-parity"), tolerance: z.number().gt(0) }),
  title: () => "parity of the ONNX file",
  needs: () => ["parity"] satisfies Need[],
  judge: ({ tolerance }, { parity }) => {
    if (isUnknown(parity)) return atMost("", tolerance, parity, "none");
    return atMost(
      `On ${parity.rowCount} rows, the answers of the ONNX file differ by`,
      tolerance,
      exact(parity.difference, "none"),
    );
  },
});

/** Devices in every round of its run: fewer hide each other less. */
export const cohort = defineGate({
  schema: z.strictObject({ kind: z.literal("cohort"), devicesMin: z.int().min(1) }),
  title: () => "cohort",
  needs: () => ["cohort"] satisfies Need[],
  judge: ({ devicesMin }, { cohortSizeLeast }: GateEvidence): Verdict => {
    const required = `at least ${figureText({ value: devicesMin, unit: "devices" })} in every round`;
    const found = exact(cohortSizeLeast, "devices");
    const nothing = { champion: null, difference: null, required };
    if (isUnknown(found)) return { ...nothing, state: "cannot-tell", candidate: null, reason: found.unknown };
    const isOpen = found.value >= devicesMin;
    const had = `The smallest round of its run had ${figureText(found)}`;
    const least = figureText({ value: devicesMin, unit: "devices" });
    const reason = isOpen
      ? `${had}.`
      : `${had}, and at least ${least} ${devicesMin === 1 ? "is" : "are"} required.`;
    return { ...nothing, state: isOpen ? "open" : "shut", candidate: found, reason };
  },
});

function exact(value: number | Unknown, unit: string): Figure | Unknown {
  return isUnknown(value) ? value : { value, low: null, high: null, unit };
}

/** @param text  Before the number, as the start of a sentence. */
function atMost(text: string, most: number, found: Figure | Unknown, unitOfBound = "none"): Verdict {
  const unit = isUnknown(found) ? unitOfBound : found.unit;
  const bound = figureText({ value: most, unit });
  const nothing = { champion: null, difference: null, required: `at most ${bound}` };
  if (isUnknown(found)) return { ...nothing, state: "cannot-tell", candidate: null, reason: found.unknown };
  const isOpen = found.value <= most;
  const reason = isOpen
    ? `${text} ${figureText(found)}.`
    : `${text} ${figureText(found)}, and at most ${bound} is allowed.`;
  return { ...nothing, state: isOpen ? "open" : "shut", candidate: found, reason };
}
