import { formatOdds } from "../../words/classes.ts";

/** With more classes than this, only the likeliest are shown. */
const SHOWN = 12;

/** Class probabilities as bars; the likeliest has the colour of the sum. */
export function Odds(props: { readonly classes: readonly string[]; readonly probabilities: Float32Array }) {
  const { classes, probabilities } = props;
  const rows = classes.map((name, index) => ({ name, probability: probabilities[index] ?? 0 }));
  const most = Math.max(...rows.map(({ probability }) => probability));
  const shown =
    rows.length > SHOWN ? rows.toSorted((a, b) => b.probability - a.probability).slice(0, SHOWN) : rows;
  return (
    <ul className="grid gap-1.5 text-sm" aria-label="Probability of each class">
      {shown.map(({ name, probability }) => {
        const wins = probability === most;
        return (
          <li
            key={name}
            className={`grid grid-cols-[minmax(1.2rem,auto)_minmax(0,1fr)_3.6rem] items-center gap-3 ${wins ? "font-semibold text-sum" : ""}`}
          >
            <span className="max-w-40 truncate">{name}</span>
            <svg viewBox="0 0 100 10" preserveAspectRatio="none" className="h-2.5 w-full" aria-hidden="true">
              <rect
                width={Math.max(0.4, 100 * probability)}
                height="10"
                className={wins ? "bar-summed" : "bar-ink"}
              />
            </svg>
            <span className="text-right">{formatOdds(probability)}</span>
          </li>
        );
      })}
    </ul>
  );
}
