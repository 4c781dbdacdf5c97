import type { TabularFeatures } from "../task/features.ts";

/** Names of the numbers that one row of a table becomes, in the order of the model's inputs. */
export function inputNames({ columns }: TabularFeatures): string[] {
  return columns.flatMap((column) => {
    if (!column.input) return [];
    if (column.type === "numeric") return [column.name];
    const own = column.categories.map((category) => `${column.name} ${category}`);
    return column.missing === "category" ? [...own, `${column.name} missing`] : own;
  });
}
