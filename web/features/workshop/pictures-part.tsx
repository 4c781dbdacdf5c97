"use client";
import { withEdits } from "#shared/sample/draft.ts";
import { formatCount } from "../../words/format.ts";
import { NumberedPart } from "./numbered-part.tsx";
import { TakenRows } from "./taken-rows.tsx";
import type { Workshop } from "./use-workshop.ts";
import { type Problems, WrongField, wrongIf } from "./wrong.tsx";

/** Part 2 of a task about pictures: their size, their colours and their classes. */
export function PicturesPart({
  workshop,
  problems,
}: {
  readonly workshop: Workshop;
  readonly problems: Problems;
}) {
  const { draft, sample } = workshop;
  if (draft?.data.kind !== "pictures") return null;
  const { data } = draft;
  const change = (fields: Parameters<typeof withEdits>[1]) =>
    workshop.change((now) =>
      now.data.kind === "pictures" ? { ...now, data: withEdits(now.data, fields) } : now,
    );
  const rowsByClass = new Map(draft.sample?.classRows ?? []);
  const sizes = sample?.pictures?.sizes ?? [];
  const classesWrong = problems.of("classes");
  return (
    <NumberedPart
      part={2}
      title="Pictures"
      note="Proposed from the sample. Other pictures are brought to this size."
    >
      <div className="stack">
        <div className="column-edit">
          {(["width", "height"] as const).map((side) => {
            const wrong = problems.of(side);
            return (
              <div key={side} className="field">
                <label className="field">
                  {side === "width" ? "Width, pixels" : "Height, pixels"}
                  <input
                    {...wrongIf(side, wrong)}
                    value={data[side]}
                    inputMode="numeric"
                    autoComplete="off"
                    onChange={(event) => change({ [side]: event.target.value })}
                  />
                </label>
                <WrongField field={side} problems={problems} />
              </div>
            );
          })}
          <label className="field half">
            Colours
            <select
              value={data.channels}
              onChange={(event) => change({ channels: event.target.value as "1" | "3" })}
            >
              <option value="1">grey, one number a pixel</option>
              <option value="3">red, green and blue, three numbers a pixel</option>
            </select>
          </label>
        </div>
        {sizes.length > 0 && (
          <p className="note">
            In the sample:{" "}
            {sizes
              .slice(0, 4)
              .map(({ width, height, count }) => `${formatCount(count)} of ${width} by ${height}`)
              .join(", ")}
            {sizes.length > 4 ? ", and other sizes" : ""}.
          </p>
        )}
        <div className="cols2">
          <div className="field">
            <label className="field">
              Classes, one a line; people name their folders so
              <textarea
                {...wrongIf("classes", classesWrong)}
                rows={Math.min(10, Math.max(3, data.classes.length))}
                value={data.classes.join("\n")}
                onChange={(event) =>
                  change({ classes: event.target.value === "" ? [] : event.target.value.split("\n") })
                }
              />
            </label>
            <WrongField field="classes" problems={problems} />
          </div>
          {rowsByClass.size > 0 && (
            <table>
              <caption className="sr-only">Pictures of each class in the sample</caption>
              <thead>
                <tr>
                  <th scope="col">Class</th>
                  <th scope="col" className="num">
                    Pictures in the sample
                  </th>
                </tr>
              </thead>
              <tbody>
                {data.classes.map((name) => (
                  <tr key={name}>
                    <td className="wrap-anywhere">{name}</td>
                    <td className="num">{formatCount(rowsByClass.get(name) ?? 0)}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          )}
        </div>
        <TakenRows workshop={workshop} />
      </div>
    </NumberedPart>
  );
}
