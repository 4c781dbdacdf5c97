import type { HeldOutView } from "#shared/protocol/api.ts";
import { shareMeasure } from "#shared/stats/intervals.ts";
import { formatCount, formatPercent, formatPoints } from "../../words/format.ts";
import { IntervalBar } from "./interval-bar.tsx";

const CLASSES_SHOWN = 20;

/** How many held-out rows each class has, with the interval of its share. */
export function BalanceBars({ set }: { readonly set: HeldOutView }) {
  const { balance, rowCount } = set;
  if (balance.kind === "number") return null;
  const shown = balance.counts.slice(0, CLASSES_SHOWN).flatMap(({ name, rows }) => {
    const share = shareMeasure(rows, rowCount);
    return share === null ? [] : [{ name, rows, share }];
  });
  const most = Math.max(...shown.map(({ share }) => share.value + share.halfWidth95));
  return (
    <figure>
      <figcaption className="mb-2.5">
        <h3>Rows of each class</h3>
        <p className="note">
          Share of each among the held-out rows. Whisker: 95 % interval of the share where the rows come from.
        </p>
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
          {shown.map(({ name, rows, share }) => (
            <tr key={name}>
              <td className="w-1/4 wrap-anywhere">{name}</td>
              <td className="w-1/2">
                <IntervalBar measure={share} most={most} shape="bar" colour="ink" />
              </td>
              <td className="num whitespace-nowrap">
                {formatCount(rows)}, {formatPercent(share.value)} ± {formatPoints(share.halfWidth95)}
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
