import { z } from "zod";
import type { Figure, MeasuredFigure, Paired } from "./evidence.ts";
import { changeText, figureText } from "./figure-text.ts";
import { defineGate, type GateState, type Verdict } from "./gate.ts";

const schema = z
  .strictObject({
    kind: z.literal("measure"),
    /** Of the task's measures. Which direction is better follows from it. */
    name: z.string().min(1).max(64),
    /** At least this, or at most if lower is better, in the measure's unit. */
    threshold: z.number().exactOptional(),
    /**
     * Better than the champion by at least this, in the measure's unit; below 0 it may be so much worse. The whole 95 % interval
     * of the difference has to be, on the same rows.
     */
    minAbsoluteChange: z.number().exactOptional(),
    /** The same, as a part of the champion's figure. */
    minRelativeChange: z.number().exactOptional(),
  })
  .refine(
    ({ threshold, minAbsoluteChange, minRelativeChange }) =>
      threshold !== undefined || minAbsoluteChange !== undefined || minRelativeChange !== undefined,
    "give a threshold or a least change",
  );
type MeasureGate = z.output<typeof schema>;

/** A figure on the held-out rows: above a threshold, or better than the champion's, or both. */
export const measure = defineGate({
  schema,
  title: ({ name }) => name,
  needs: ({ minAbsoluteChange, minRelativeChange }) =>
    minAbsoluteChange === undefined && minRelativeChange === undefined ? ["figures"] : ["figures", "paired"],
  judge: (gate, { measures, paired }) => {
    const found = measures.find(({ name }) => name === gate.name);
    const required = requiredText(gate, found);
    if (found === undefined) {
      const reason = `This version has no figure of ${gate.name} on the task’s held-out rows.`;
      return { ...NOTHING, state: "cannot-tell", required, reason };
    }
    const candidate = figureOf(found);
    const parts = [
      ...(gate.threshold === undefined ? [] : [byThreshold(gate.threshold, found)]),
      ...(gate.minAbsoluteChange === undefined && gate.minRelativeChange === undefined
        ? []
        : [byChange(gate, found, paired)]),
    ];
    const worst = ORDER.map((state) => parts.find((part) => part.state === state)).find(Boolean);
    const { state, reason } = worst ?? { state: "open" as const, reason: "" };
    return { state, required, candidate, ...comparedFigures(found, paired), reason };
  },
});

type Part = Pick<Verdict, "state" | "reason">;

const NOTHING = { champion: null, candidate: null, difference: null };
/** The first of these that a part has is what the gate says. */
const ORDER: readonly GateState[] = ["shut", "cannot-tell", "open"];

function requiredText(gate: MeasureGate, found: MeasuredFigure | undefined): string {
  const unit = found?.unit ?? "none";
  const parts: string[] = [];
  if (gate.threshold !== undefined) {
    const bound = found?.better === "lower" ? "at most" : "at least";
    parts.push(`${bound} ${figureText({ value: gate.threshold, unit })}`);
  }
  if (gate.minAbsoluteChange !== undefined)
    parts.push(againstChampion(gate.minAbsoluteChange, (size) => changeText({ value: size, unit })));
  if (gate.minRelativeChange !== undefined)
    parts.push(againstChampion(gate.minRelativeChange, (size) => `${Number((100 * size).toPrecision(3))} %`));
  return parts.join(", and ");
}

function againstChampion(least: number, textOf: (size: number) => string): string {
  if (least > 0) return `better than the champion by ${textOf(least)}`;
  return least === 0 ? "no worse than the champion" : `worse than the champion by ${textOf(-least)} at most`;
}

function byThreshold(threshold: number, { value, unit, better, label }: MeasuredFigure): Part {
  const isMet = better === "higher" ? value >= threshold : value <= threshold;
  const bound = better === "higher" ? "at least" : "at most";
  const text = `${label} is ${figureText({ value, unit })}`;
  const required = figureText({ value: threshold, unit });
  return isMet
    ? { state: "open", reason: `${capital(text)}.` }
    : { state: "shut", reason: `${capital(text)}, and ${bound} ${required} is required.` };
}

function byChange(gate: MeasureGate, found: MeasuredFigure, paired: Paired | null): Part {
  if (paired === null) return { state: "open", reason: "No version is in use yet to compare with." };
  if (!paired.comparable) return { state: "cannot-tell", reason: paired.reason };
  const one = paired.measures.find(({ name }) => name === found.name);
  if (one === undefined)
    return { state: "cannot-tell", reason: `These rows allow no comparison of ${found.name}.` };
  // Improvement, whichever direction is better.
  const [low, high] = found.better === "higher" ? [one.low, one.high] : [-one.high, -one.low];
  const least = Math.max(
    gate.minAbsoluteChange ?? Number.NEGATIVE_INFINITY,
    (gate.minRelativeChange ?? Number.NEGATIVE_INFINITY) * Math.abs(one.first),
  );
  const size = changeText({ value: one.difference, unit: found.unit });
  const side = one.difference >= 0 ? "higher" : "lower";
  const text = one.difference === 0 ? `${found.label} is the same` : `${found.label} is ${size} ${side}`;
  if (low >= least) return { state: "open", reason: `${capital(text)} than the champion's.` };
  return high < least
    ? { state: "shut", reason: `${capital(text)} than the champion's.` }
    : { state: "cannot-tell", reason: `Too close to tell. ${capital(text)} than the champion's.` };
}

function comparedFigures(
  { name, unit }: MeasuredFigure,
  paired: Paired | null,
): Pick<Verdict, "champion" | "difference"> {
  const one = paired?.comparable === true ? paired.measures.find((each) => each.name === name) : undefined;
  if (one === undefined) return { champion: null, difference: null };
  const { first, difference, low, high } = one;
  return {
    champion: { value: first, low: null, high: null, unit },
    difference: { value: difference, low, high, unit },
  };
}

function figureOf({ value, low, high, unit }: MeasuredFigure): Figure {
  return { value, low, high, unit };
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
