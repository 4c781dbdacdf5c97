import type { HeldOutView } from "#shared/protocol/api.ts";
import { formatCount, formatPercent } from "../../words/format.ts";

const CLASSES_SHOWN = 20;

/** How many held-out rows each class has, drawn and said. */
export function BalanceBars({ set }: { readonly set: HeldOutView }) {
  const { balance, rowCount } = set;
  if (balance.kind === "number") return null;
  const most = Math.max(1, ...balance.counts.map(({ rows }) => rows));
  const shown = balance.counts.slice(0, CLASSES_SHOWN);
  return (
    <figure>
      <figcaption className="mb-2.5">
        <h3>Rows of each class</h3>
        <p className="note">Among the held-out rows.</p>
      </figcaption>
      <table>
        <caption className="sr-only">Held-out rows of each class</caption>
        <thead className="sr-only">
          <tr>
            <th scope="col">Class</th>
            <th scope="col">Bar</th>
            <th scope="col">Rows</th>
          </tr>
        </thead>
        <tbody>
          {shown.map(({ name, rows }) => (
            <tr key={name}>
              <td className="w-1/4 wrap-anywhere">{name}</td>
              <td className="w-1/2">
                <svg width="100%" height="10" aria-hidden="true">
                  <rect className="sample-bar" width={`${(100 * rows) / most}%`} height="10" />
                </svg>
              </td>
              <td className="num">
                {formatCount(rows)}, {formatPercent(rows / rowCount)}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {balance.counts.length > CLASSES_SHOWN && (
        <p className="note mt-1">And {formatCount(balance.counts.length - CLASSES_SHOWN)} more classes.</p>
      )}
    </figure>
  );
}
