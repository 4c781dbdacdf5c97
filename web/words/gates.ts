import type { Decision, GateReport } from "#shared/protocol/registry.ts";
import { figureText } from "#shared/task/gates/figure-text.ts";
import type { GateResult } from "#shared/task/gates/index.ts";
import { capitalise, countInWords, formatWhenUtc } from "./format.ts";

/* What the gates of a task say of a version. Pure. */

/** "Version 15 cannot take its place yet: two of ten gates are shut." */
export function gatesLead({ version, champion, gates, promoteByItself }: GateReport): string {
  const name = `Version ${version}`;
  if (gates.length === 0) return "This task has no gates, so any version may be promoted.";
  const closed = gates.filter(({ state }) => state !== "open").length;
  const itself = promoteByItself
    ? " When a run ends, its last version is judged once, and promoted by itself if all are open."
    : "";
  if (closed === 0) return `${name} may be promoted: ${gatesWords(gates.length)} open.${itself}`;
  const place = champion === null ? "be promoted" : `take the place of version ${champion}`;
  const shut =
    gates.length === 1
      ? "its gate is not open"
      : `${countInWords(closed)} of ${countInWords(gates.length)} gates ${closed === 1 ? "is" : "are"} not open`;
  return `${name} cannot ${place} yet: ${shut}.${itself}`;
}

function gatesWords(count: number): string {
  if (count <= 2) return count === 1 ? "its gate is" : "both gates are";
  return `all ${countInWords(count)} gates are`;
}

/** Which of a report's gates it is. Two may be of one kind and measure, and require the same. */
export function gateKey(gates: readonly GateResult[], gate: GateResult): number {
  return gates.indexOf(gate);
}

export function gateTitle({ title }: GateResult): string {
  return capitalise(title);
}

/** "0.861", "39.7 % (36.1 % to 43.2 %)" with its interval; "none" without a figure. */
export function gateFigure(figure: GateResult["candidate"]): string {
  if (figure === null) return "none";
  const value = figureText(figure);
  if (figure.low === null || figure.high === null) return value;
  const end = (at: number) => figureText({ value: at, unit: figure.unit });
  return `${value} (${end(figure.low)} to ${end(figure.high)})`;
}

export function gateVerdict({ state }: GateResult): string {
  return { open: "open", shut: "shut", "cannot-tell": "cannot be told, so shut" }[state];
}

const OUTCOMES: Readonly<Record<Decision["outcome"], string>> = {
  promoted: "Promoted",
  "not-promoted": "Not promoted",
  "promoted-despite-gates": "Promoted despite its gates",
  "rolled-back": "Put back in use",
};

/** "Not promoted, 8 July, 10:12 UTC" */
export function decisionTitle({ outcome, at }: Pick<Decision, "outcome" | "at">, nowUnixMs?: number): string {
  return `${OUTCOMES[outcome]}, ${formatWhenUtc(at, nowUnixMs)}`;
}

/** Why a decision shows no gates. */
export function noGatesWords({ outcome }: Pick<Decision, "outcome">): string {
  return outcome === "rolled-back"
    ? "Going back asks no gates: the version had been in use before."
    : "The task had no gates then.";
}

/** Instead of the link to propose that a version passes despite its gates. */
export const ONE_ADMIN =
  "To pass a shut gate takes two admins, and there is one. Invite another, or change the gates on the task’s page.";

export function hasSecondAdmin(people: readonly { readonly isAdmin: boolean }[]): boolean {
  return people.filter(({ isAdmin }) => isAdmin).length > 1;
}
