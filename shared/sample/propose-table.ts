import type { ColumnProfile } from "./column-profiler.ts";
import { type ProposedColumn, proposeColumns } from "./propose-columns.ts";
import { type ProposedSeries, proposeSeries } from "./propose-series.ts";
import type { TableProfile } from "./table-profiler.ts";

/** All that a table proposes. It takes as long as the table is wide, so a page has it made in a worker. */
export interface TableProposal {
  /** As rows of a table. */
  readonly columns: readonly ProposedColumn[];
  /** Names of the columns whose decimal commas are read as points. */
  readonly withCommas: readonly string[];
  /** As series, if columns are numbered; `columns` are then the others only. */
  readonly series: (ProposedSeries & { readonly columns: readonly ProposedColumn[] }) | null;
}

export function proposeTable(profile: TableProfile): TableProposal {
  const series = proposeSeries(profile);
  return {
    columns: proposeColumns(profile),
    withCommas: profile.columns.filter(({ numbers }) => numbers.withComma > 0).map(({ name }) => name),
    series: series && { ...series, columns: columnsBeside(series, profile) },
  };
}

/** A series takes no other columns than its steps and its label. */
function columnsBeside({ others }: ProposedSeries, profile: TableProfile): ProposedColumn[] {
  const columns = others.map((at) => profile.columns[at] as ColumnProfile);
  return proposeColumns({ ...profile, columns }).map((column) =>
    column.fields.use === "label" ? column : { ...column, fields: { ...column.fields, use: "left-out" } },
  );
}
