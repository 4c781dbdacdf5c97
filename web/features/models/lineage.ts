import type { ModelVersionView } from "#shared/protocol/registry.ts";

/*
 * Where versions come from, as a picture: data and task version, runs, rounds, versions, and the held-out rows that judged
 * them. Pure. Lengths in pixels.
 */

const ROW = 52;
const TOP = 26;
/** Where each column of words begins, as a share of the width; room for a line before it. */
const COLUMNS = { task: 0, run: 0.25, version: 0.68 } as const;

export interface Place {
  readonly x: number;
  readonly y: number;
}
export interface RunNode extends Place {
  readonly runId: string;
  readonly runNumber: number;
  readonly runState: string;
  readonly versions: readonly (Place & { readonly model: ModelVersionView })[];
}
export interface TaskNode extends Place {
  readonly taskVersion: number;
  readonly runs: readonly RunNode[];
}
/** Held-out rows with the versions that they judged. */
export interface SetNode extends Place {
  readonly hash: string;
  readonly versions: readonly Place[];
}
export interface Lineage {
  readonly height: number;
  readonly tasks: readonly TaskNode[];
  /** Below the versions, in the order in which they come first. */
  readonly sets: readonly SetNode[];
}

/** @param models  Newest first; each gets a row. Whatever they come from stands at the middle of its rows. */
export function lineageOf(models: readonly ModelVersionView[], width: number): Lineage {
  let row = 0;
  const tasks = groups(models, ({ taskVersion }) => taskVersion).map((ofTask): TaskNode => {
    const runs = groups(ofTask, ({ runId }) => runId).map((ofRun): RunNode => {
      const versions = ofRun.map((model) => ({ model, x: width * COLUMNS.version, y: TOP + ROW * row++ }));
      const { runId = "", runNumber = 0, runState = "" } = ofRun[0] ?? {};
      return { runId, runNumber, runState, versions, x: width * COLUMNS.run, y: middle(versions) };
    });
    return { taskVersion: ofTask[0]?.taskVersion ?? 0, runs, x: width * COLUMNS.task, y: middle(runs) };
  });
  const versions = tasks.flatMap(({ runs }) => runs.flatMap((run) => run.versions));
  const judged = versions.flatMap((place) => {
    const hash = place.model.measuredOn;
    return hash === undefined ? [] : [{ ...place, hash }];
  });
  const sets = groups(judged, ({ hash }) => hash).map(
    (ofSet): SetNode => ({
      hash: ofSet[0]?.hash ?? "",
      versions: ofSet.map(({ x, y }) => ({ x, y })),
      x: width * COLUMNS.run,
      y: TOP + ROW * row++,
    }),
  );
  return { height: TOP + ROW * Math.max(0, row - 1) + TOP + 8, tasks, sets };
}

/** A curve that leaves and arrives level. */
export function bend(from: Place, to: Place): string {
  const half = (from.x + to.x) / 2;
  return `M${from.x} ${from.y}C${half} ${from.y} ${half} ${to.y} ${to.x} ${to.y}`;
}

/** Many voices that become one line: what a run does. */
export function merge({ x, y }: Place, width: number): string {
  const [high, low] = [11, 1.5];
  const [straight, half, end] = [x + 0.2 * width, x + 0.6 * width, x + width];
  return `M${x} ${y - high}H${straight}C${half} ${y - high} ${half} ${y - low} ${end} ${y - low}V${y + low}C${half} ${y + low} ${half} ${y + high} ${straight} ${y + high}H${x}Z`;
}

function middle(places: readonly Place[]): number {
  const [first, last] = [places[0], places.at(-1)];
  return first === undefined || last === undefined ? TOP : (first.y + last.y) / 2;
}

/** In the order in which each key comes first. */
function groups<Item, Key>(items: readonly Item[], keyOf: (item: Item) => Key): (readonly Item[])[] {
  const found = new Map<Key, Item[]>();
  for (const item of items) {
    const group = found.get(keyOf(item));
    if (group === undefined) found.set(keyOf(item), [item]);
    else group.push(item);
  }
  return [...found.values()];
}
