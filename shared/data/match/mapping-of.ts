import type { TableLook } from "../read-csv.ts";
import type { ColumnMapping, Mapping } from "./mapping.ts";

/**
 * What was understood of a file, as a mapping that reads the next file with the same headers in the same way.
 *
 * @param said  What a person said; its decimal marks are kept. Others are found anew in each file.
 */
export function mappingOf({ header, columns }: TableLook, said: Mapping | null = null): Mapping {
  const marks = new Map(said?.columns.map(({ column, decimal }) => [column, decimal]));
  return {
    ...said,
    columns: columns.map(({ name, place, words }): ColumnMapping => {
      const from = place === null ? null : (header[place] ?? "");
      const isTwice = from !== null && header.indexOf(from) !== header.lastIndexOf(from);
      const decimal = marks.get(name);
      const meant = words.flatMap(({ word, means, how }) =>
        means === undefined || how === "missing" ? [] : [{ word, means }],
      );
      return {
        column: name,
        from,
        ...(isTwice && place !== null && { place: place + 1 }),
        ...(decimal !== undefined && { decimal }),
        ...(meant.length > 0 && { words: meant }),
      };
    }),
  };
}

/** The same for one task, as an edge takes it in a file. */
export function mappingForTask(look: TableLook, said: Mapping | null, task: string): Mapping {
  return { task, ...mappingOf(look, said) };
}

/** What a person said about one column, instead of what was said before. */
export function withColumn(mapping: Mapping | null, change: ColumnMapping): Mapping {
  const others = (mapping?.columns ?? []).filter(({ column }) => column !== change.column);
  // A column of the file is one of the task's, so that whoever gives it to another takes it from the first.
  const left = others.filter(
    ({ from, place }) => from === null || from !== change.from || place !== change.place,
  );
  return { ...mapping, columns: [...left, change] };
}
