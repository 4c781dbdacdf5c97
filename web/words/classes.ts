import type { Features } from "#shared/task/features.ts";
import { groupCountOf, type Target } from "#shared/task/target.ts";
import { capitalise, countInWords, formatCount, formatFigure } from "./format.ts";

/* The participant page's words for the classes of examples and of the model's answers. */

/** "Drawings by class: 2 has 5, 4 has 6; none of 0, 1." */
export function classSentence(classes: readonly string[], counts: readonly number[], noun: string): string {
  const some = classes.flatMap((name, index) =>
    counts[index] ? [`${name} has ${formatCount(counts[index])}`] : [],
  );
  const none = classes.filter((_, index) => !counts[index]);
  const tail = none.length === 0 ? "" : `; none of ${none.join(", ")}`;
  return some.length === 0 ? `No ${noun} yet.` : `${capitalise(noun)} by class: ${some.join(", ")}${tail}.`;
}

/** Names the missing classes, and says that this is fine. */
function missingClasses(classes: readonly string[], counts: readonly number[]): string {
  const none = classes.filter((_, index) => !counts[index]);
  if (none.length === 0 || none.length === classes.length) return "";
  if (none.length > 6)
    return `${capitalise(countInWords(none.length))} classes are missing yet: that is fine, others have them.`;
  const last = none.at(-1) ?? "";
  const names = none.length === 1 ? last : `${none.slice(0, -1).join(", ")} or ${last}`;
  return `No ${names} yet: that is fine, others have them.`;
}

/** What keeps a sketch from being an example; null if nothing does. */
export function sketchGap(sketch: { isEmpty: boolean; label: number | null }, noun: string): string | null {
  if (sketch.isEmpty) return "Draw something first, or use a picture file.";
  return sketch.label === null ? `Say what the ${noun} shows.` : null;
}

/** What keeps a drawing that the model was tried on from being an example; null if nothing does. */
export function triedGap(sketch: { isEmpty: boolean; label: number | null }): string | null {
  if (sketch.isEmpty) return "There is nothing on the pad.";
  return sketch.label === null ? "Say what it is; the model may be wrong." : null;
}

export function keptSentence(className: string): string {
  return `Kept: ${className}. It is stored in this browser and nowhere else.`;
}

/** "It says 3, with 86 % confidence.", "It says 18.40 dollars an hour." */
export function answerSentence(target: Target, answer: Float32Array): string {
  if (target.kind === "classes") return oddsSentence(target.classes, answer);
  return `It says ${formatFigure(answer[0] ?? Number.NaN)}\u00a0${target.unit}.`;
}

/** The names of the groups in which labels are counted: classes, or parts of a number's range, "0 to 8". */
export function groupNames(target: Target): readonly string[] {
  if (target.kind === "classes") return target.classes;
  const [from, to] = target.range;
  const count = groupCountOf(target);
  const edge = (index: number) => Number((from + (index * (to - from)) / count).toPrecision(3));
  return Array.from({ length: count }, (_, index) => `${edge(index)} to ${edge(index + 1)}`);
}

/** Above the counts of a person's rows: "Drawings of each class. No 7 yet: that is fine, others have them." */
export function groupNote(target: Target, counts: readonly number[], noun: string): string {
  if (target.kind === "classes") {
    return `${capitalise(noun)} of each class. ${missingClasses(target.classes, counts)}`.trimEnd();
  }
  return `${capitalise(noun)} by ${target.title}, in ${target.unit}.`;
}

function oddsSentence(classes: readonly string[], probabilities: Float32Array): string {
  const best = probabilities.reduce((at, value, index) => (value > (probabilities[at] ?? 0) ? index : at), 0);
  return `It says ${classes[best] ?? ""}, with ${formatOdds(probabilities[best] ?? 0)} confidence.`;
}

/** The invitation in place of the model's answer. @param noun  One example: "application". */
export function tryWords(kind: Features["kind"] | "drawing", noun: string): string {
  switch (kind) {
    case "drawing":
      return "Draw something; the model says what it sees.";
    case "image":
      return "Choose a picture; the model says what it sees.";
    case "series":
      return `Paste one ${noun}; the model says what it expects.`;
    case "tabular":
      return `Fill in one ${noun}; the model says what it expects.`;
  }
}

/** "86 %", never 0 or 100. */
export function formatOdds(probability: number): string {
  if (probability < 0.005) return "< 1\u00a0%";
  // Softmax never reaches certainty.
  if (probability >= 0.995) return "> 99\u00a0%";
  return `${formatCount(100 * probability)}\u00a0%`;
}
