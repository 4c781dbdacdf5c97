import { type Column, channelCount, type Features } from "../task/features.ts";
import type { Scaled } from "../task/scaling.ts";
import { labelName, type Target, targetOf } from "../task/target.ts";

/** A column that a CSV file of the task has. */
export type CsvColumn =
  | Column
  | { readonly type: "label"; readonly name: string; readonly title?: string; readonly target: Target };

/**
 * The columns of a table of the task, the label last.
 *
 * | rows     | columns before the label                                                                          |
 * | -------- | ------------------------------------------------------------------------------------------------- |
 * | tables   | the task's                                                                                        |
 * | pictures | p0, p1, ...: row by row. A colour picture has red, green and blue of a pixel, then of the next    |
 * | series   | the name of a channel and the step, from 0: x0, y0, x1, y1, ...                                   |
 */
export function csvColumns(features: Features): CsvColumn[] {
  const title = features.kind === "image" ? undefined : features.label.title;
  const label = { type: "label", name: labelName(features), target: targetOf(features) } as const;
  return [...inputColumns(features), title === undefined ? label : { ...label, title }];
}

function inputColumns(features: Features): Column[] {
  if (features.kind === "tabular") return features.columns;
  if (features.kind === "image") {
    const { range } = features;
    const count = features.height * features.width * channelCount(features);
    return Array.from({ length: count }, (_, index) => plainColumn(`p${index}`, { range }));
  }
  const { length, channels } = features;
  return Array.from({ length }, (_, step) =>
    channels.map((channel) => plainColumn(`${channel.name}${step}`, channel)),
  ).flat();
}

function plainColumn(name: string, { range, scaling }: Scaled): Column {
  return {
    name,
    type: "numeric",
    range: [...range],
    ...(scaling !== undefined && { scaling }),
    protected: false,
    input: true,
  };
}
