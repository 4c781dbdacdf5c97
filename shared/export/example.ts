import type { Column, TabularFeatures } from "../task/features.ts";

/** The columns that a model takes, in their order. */
export function inputColumns({ columns }: TabularFeatures): readonly Column[] {
  return columns.filter(({ input }) => input);
}

/** A value that the column takes: the task's example, else the middle of the range or the first category. */
export function exampleCell(column: Column): string | number {
  if (column.type === "categorical") return column.example ?? column.categories[0] ?? "";
  return column.example ?? (column.range[0] + column.range[1]) / 2;
}
