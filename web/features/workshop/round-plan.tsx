"use client";
import { rulesOf } from "#shared/sample/draft.ts";
import { useWidth } from "../../ui/use-width.ts";
import { formatCount } from "../../words/format.ts";
import { type PlannedRound, plannedRound, planSentence } from "../../words/workshop-rules.ts";
import { PlanAcross, PlanDown } from "./plan-drawing.tsx";
import type { Workshop } from "./use-workshop.ts";
import { type Problems, WrongField, wrongIf } from "./wrong.tsx";

const NARROW_BELOW = 620;

const DEADLINES = [
  ["joinS", "Join, seconds"],
  ["trainS", "Train, seconds"],
  ["keysS", "Agree on keys, seconds"],
  ["sendS", "Send, seconds"],
] as const;

/** The score before there is a round: drawn dotted, with the same numbers in fields and in a table. */
export function RoundPlan({
  workshop,
  problems,
}: {
  readonly workshop: Workshop;
  readonly problems: Problems;
}) {
  const [box, width] = useWidth<HTMLDivElement>();
  const { draft } = workshop;
  if (draft === null) return null;
  const rules = rulesOf(draft);
  const plan = plannedRound(rules);
  return (
    <div>
      <h3>A round under these rules</h3>
      <p className="note mb-4">{plan === null ? "The numbers above make no round yet." : planNote(plan)}</p>
      <div ref={box}>
        {plan !== null &&
          width > 0 &&
          (width < NARROW_BELOW ? (
            <PlanDown plan={plan} width={width} label={planSentence(plan)} />
          ) : (
            <PlanAcross plan={plan} width={width} label={planSentence(plan)} />
          ))}
      </div>
      <div className="deadlines">
        {DEADLINES.map(([name, label]) => {
          const wrong = problems.of(name);
          return (
            <div key={name} className="field">
              <label className="field">
                {label}
                <input
                  {...wrongIf(name, wrong)}
                  value={rules[name]}
                  inputMode="decimal"
                  autoComplete="off"
                  onChange={(event) => workshop.setRule(name, event.target.value)}
                />
              </label>
              <WrongField field={name} problems={problems} />
            </div>
          );
        })}
      </div>
      {plan !== null && plan.table.length > 0 && <PlanTable plan={plan} />}
    </div>
  );
}

function planNote({ invited, needed, goal, groups }: PlannedRound): string {
  const each = groups > 1 ? `${formatCount(groups)} groups; in each, ` : "";
  return `Dotted, because it is a plan. ${each}${formatCount(invited)} are invited to have ${formatCount(goal)}; as soon as these agree on keys, ${formatCount(needed)} must send. With fewer, nothing is opened.`;
}

function PlanTable({ plan }: { readonly plan: PlannedRound }) {
  return (
    <table className="mt-6 max-w-xl">
      <caption className="sr-only">How many must send, by how many agree on keys</caption>
      <thead>
        <tr>
          <th scope="col">If this many agree on keys</th>
          {plan.table.map(({ agreed }) => (
            <th key={agreed} scope="col" className="num">
              {formatCount(agreed)}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        <tr>
          <td>this many must send</td>
          {plan.table.map(({ agreed, needed }) => (
            <td key={agreed} className="num">
              {needed === null ? "no round" : formatCount(needed)}
            </td>
          ))}
        </tr>
        <tr>
          <td>and this many may leave</td>
          {plan.table.map(({ agreed, needed }) => (
            <td key={agreed} className="num">
              {needed === null ? "none" : formatCount(agreed - needed)}
            </td>
          ))}
        </tr>
      </tbody>
    </table>
  );
}
