import type { RoundView, RunView } from "#shared/protocol/api.ts";
import type { Measures } from "#shared/stats/measure.ts";
import { listedMeasures } from "#shared/task/measures/index.ts";
import type { TypedColumn } from "./table-file.ts";

/** One measure of one model. */
export interface Figure {
  /** The round that made the model; 0 is the model that the run began with. */
  readonly round: number;
  readonly version: number | null;
  readonly modelHash: string | null;
  readonly madeAt: string | null;
  /**
   * - `held-out`: by the coordinator, on its held-out rows.
   * - `devices`: on the rows that devices keep back, from the sum of the round after.
   * - `devices-trained`: on the same kind of rows, of the devices' own models after local training, before they were added.
   */
  readonly measuredOn: "held-out" | "devices" | "devices-trained";
  readonly heldOutSet: string | null;
  readonly measure: string;
  readonly unit: string | null;
  readonly value: number;
  readonly halfWidth95: number;
  readonly rowCount: number;
}

/** Figures as a table, one row per model, place and measure, so that tools need no rule for pairs of columns. */
export const FIGURE_COLUMNS: readonly TypedColumn<Figure>[] = [
  { name: "round", type: "count", value: ({ round }) => round },
  { name: "version", type: "count", value: ({ version }) => version },
  { name: "made_at", type: "instant", value: ({ madeAt }) => madeAt },
  { name: "measured_on", type: "text", value: ({ measuredOn }) => measuredOn },
  { name: "measure", type: "text", value: ({ measure }) => measure },
  { name: "value", type: "number", value: ({ value }) => value },
  { name: "half_width_95", type: "number", value: ({ halfWidth95 }) => halfWidth95 },
  { name: "unit", type: "text", value: ({ unit }) => unit },
  { name: "row_count", type: "count", value: ({ rowCount }) => rowCount },
  { name: "held_out_set", type: "text", value: ({ heldOutSet }) => heldOutSet },
  { name: "model_sha256", type: "text", value: ({ modelHash }) => modelHash },
];

/** All figures of a run, by round. @param rounds  All of the run's rounds. */
export function figuresOf(run: RunView, rounds: readonly RoundView[]): readonly Figure[] {
  const made = new Map(rounds.map((view) => [view.round, view]));
  const rows = (
    round: number,
    measures: Measures,
    of: Pick<Figure, "measuredOn" | "heldOutSet">,
  ): readonly Figure[] => {
    const { version, modelHash, endedAt } = made.get(round) ?? {};
    return listedMeasures(measures).map(({ spec, measure }) => ({
      round,
      version: version ?? null,
      modelHash: modelHash ?? null,
      madeAt: endedAt ?? null,
      ...of,
      measure: spec.name,
      unit: measure.unit ?? UNITS[spec.unit],
      value: measure.value,
      halfWidth95: measure.halfWidth95,
      rowCount: measure.count,
    }));
  };
  const all = [
    ...run.history.flatMap(({ round, measures, measuredOn }) =>
      rows(round, measures, { measuredOn: "held-out", heldOutSet: measuredOn ?? null }),
    ),
    ...(run.deviceHistory ?? []).flatMap(({ round, measures }) =>
      rows(round, measures, { measuredOn: "devices", heldOutSet: null }),
    ),
    ...rounds.flatMap(({ round, deviceMeasures }) =>
      rows(round, deviceMeasures.after, { measuredOn: "devices-trained", heldOutSet: null }),
    ),
  ];
  return all.toSorted((a, b) => a.round - b.round);
}

/** The unit of a label stands with its measure. */
const UNITS = { share: "share", nats: "nats", label: null, none: null } as const;
