import { EXPORT_FORMATS } from "#shared/export/formats.ts";
import { TABLE_FORMATS, TABLE_MEDIA_TYPES, type TableFormat } from "#shared/export/table/formats.ts";
import { type Bytes, utf8 } from "#shared/kernel/bytes.ts";
import { err, ok, type Result } from "#shared/kernel/result.ts";
import type { RoundView, RunView } from "#shared/protocol/api.ts";
import { type WireError, wireError } from "#shared/protocol/errors.ts";
import type { Archive, Coordinator, RunFiles } from "../coordinator.ts";
import type { ExportedFile } from "../models/exports.ts";
import { everyItem } from "../ports/every-item.ts";
import { FIGURE_COLUMNS, figuresOf } from "../views/figures-table.ts";
import { jsonFile, ROUNDS_FOLDER, roundFileName } from "../views/round-file.ts";
import { tableFile } from "../views/table-file.ts";

/** A record of a round is rarely longer. */
const ROUND_BYTES = 100_000;

type Subjects = Pick<Coordinator, "tasks" | "runs" | "rounds" | "exports">;

/** A run's figures and the whole run as files. Rules M20, M21. */
export class RunFilesDesk implements RunFiles {
  readonly #core: Subjects;

  constructor(core: Subjects) {
    this.#core = core;
  }

  async figures(runId: string, format: TableFormat): Promise<Result<ExportedFile, WireError>> {
    const run = await this.#core.runs.runView(runId);
    if (run === null) return err(wireError("NOT_FOUND"));
    return ok({
      fileName: `${nameOf(run)}-figures.${format}`,
      mediaType: TABLE_MEDIA_TYPES[format],
      bytes: figuresFile(run, await this.#rounds(runId), format),
    });
  }

  async runArchive(runId: string): Promise<Result<Archive, WireError>> {
    const run = await this.#core.runs.runView(runId);
    if (run === null) return err(wireError("NOT_FOUND"));
    const rounds = await this.#rounds(runId);
    const view = await this.#core.tasks.taskView(run.task, run.taskVersion);
    const modelBytes = 4 * (view?.parameterCount ?? 0);
    return ok({
      name: nameOf(run),
      byteCountAbout: rounds.length * ROUND_BYTES + EXPORT_FORMATS.length * modelBytes,
      files: this.#files(run, rounds),
    });
  }

  async *#files(run: RunView, rounds: readonly RoundView[]): AsyncGenerator<readonly [string, Bytes]> {
    const { runId } = run;
    const { tasks, runs, rounds: details, exports } = this.#core;
    yield ["README.txt", utf8(readme(run))];
    yield ["run.json", jsonFile(run)];
    const view = await tasks.taskView(run.task, run.taskVersion);
    if (view !== null) yield ["task.json", jsonFile(view.task)];
    yield ["events.json", jsonFile(await everyItem((page) => runs.listEvents(runId, page)))];
    for (const format of TABLE_FORMATS) yield [`figures.${format}`, figuresFile(run, rounds, format)];
    for (const { roundId, round } of rounds) {
      const detail = await details.roundDetail(roundId);
      if (detail !== null) yield [`${ROUNDS_FOLDER}/${roundFileName(round)}`, jsonFile(detail)];
    }
    for (const format of EXPORT_FORMATS) {
      const model = await exports.ofRun(runId, format);
      // Before the first round has committed there is none.
      if (model.ok) yield [`model/${model.value.fileName}`, model.value.bytes];
    }
  }

  #rounds(runId: string): Promise<readonly RoundView[]> {
    return everyItem((page) => this.#core.rounds.listRounds(runId, page));
  }
}

const nameOf = ({ task, number }: RunView): string => `${task}-run${number}`;

const figuresFile = (run: RunView, rounds: readonly RoundView[], format: TableFormat): Bytes =>
  tableFile(FIGURE_COLUMNS, figuresOf(run, rounds), format);

function readme({ task, taskVersion, number, runId }: RunView): string {
  return `Run ${number} of the task ${task}, version ${taskVersion}
${runId}

run.json        the run: plan, state, learning curve
task.json       what every device agreed to
events.json     what happened, newest first
figures.csv     every measure of every model, with the half width of its 95 % interval
figures.parquet the same, for pandas, DuckDB and others
rounds/         the record of each round: counts, times, traffic, hashes, events
model/          the newest model in every format

No file names a device or holds anything of one: all figures come from sums. The people
who launched, paused or ended the run are named in run.json and events.json.
Models of earlier rounds: GET /api/v1/rounds/{roundId}/exports/{format}
`;
}
