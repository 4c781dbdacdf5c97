import { EXPORT_FILES, type ExportFormat, exportFileName } from "#shared/export/formats.ts";
import type { Bytes } from "#shared/kernel/bytes.ts";
import { err, ok, type Result } from "#shared/kernel/result.ts";
import type { RoundDetail, RunView } from "#shared/protocol/api.ts";
import { type WireError, wireError } from "#shared/protocol/errors.ts";
import type { ModelVersionView } from "#shared/protocol/registry.ts";
import { listedMeasures } from "#shared/task/measures/index.ts";
import type { CoordinatorPorts } from "../ports/ports.ts";

/** A file for other tools. */
export interface ExportedFile {
  readonly fileName: string;
  readonly mediaType: string;
  readonly bytes: Bytes;
}

/** What exports read of runs, rounds and numbered models. */
interface Shown {
  runView(runId: string): Promise<RunView | null>;
  roundDetail(roundId: string): Promise<RoundDetail | null>;
  model(slug: string, version: number): Promise<ModelVersionView | null>;
}

/** Which model it is: round 0 is the model that no device has trained. */
interface Named {
  readonly task: string;
  readonly taskVersion: number;
  readonly runId: string;
  readonly runNumber: number;
  readonly round: number;
  readonly modelHash: string;
}

/** Models in other formats, made when they are asked for. Rules M1 to M7. */
export class Exports {
  readonly #ports: Pick<CoordinatorPorts, "store" | "blobs" | "exporter">;
  readonly #shown: Shown;

  constructor(ports: Pick<CoordinatorPorts, "store" | "blobs" | "exporter">, shown: Shown) {
    this.#ports = ports;
    this.#shown = shown;
  }

  /** The newest model that a run's devices have made. Errors: NOT_FOUND, also before its first round has committed. */
  async ofRun(runId: string, format: ExportFormat): Promise<Result<ExportedFile, WireError>> {
    const run = await this.#shown.runView(runId);
    if (run === null) return err(wireError("NOT_FOUND"));
    const {
      modelHash,
      newestVersion: round = run.roundsCommitted,
      number: runNumber,
      task,
      taskVersion,
    } = run;
    if (modelHash === null || round === 0) {
      return err(wireError("NOT_FOUND", "No round of this run has committed yet, so it has no model."));
    }
    const { measures } = run.history.find((entry) => entry.round === round) ?? { measures: null };
    return this.#make({ task, taskVersion, runId, runNumber, round, modelHash }, measures, format);
  }

  /** The model that a round has made. Errors: NOT_FOUND, also for a round that made none. */
  async ofRound(roundId: string, format: ExportFormat): Promise<Result<ExportedFile, WireError>> {
    const detail = await this.#shown.roundDetail(roundId);
    if (detail === null) return err(wireError("NOT_FOUND"));
    const { modelHash, phase } = detail;
    if (modelHash === null || phase !== "committed") {
      return err(wireError("NOT_FOUND", "This round has made no model."));
    }
    return this.#make({ ...detail, modelHash }, detail.measures, format);
  }

  /** One of a task's numbered models. Errors: NOT_FOUND. */
  async ofVersion(
    slug: string,
    version: number,
    format: ExportFormat,
  ): Promise<Result<ExportedFile, WireError>> {
    const model = await this.#shown.model(slug, version);
    if (model === null) return err(wireError("NOT_FOUND"));
    return this.#make(model, model.measures, format);
  }

  async #make(
    { task: slug, taskVersion, runId, runNumber, round, modelHash }: Named,
    measures: RunView["history"][number]["measures"] | null,
    format: ExportFormat,
  ): Promise<Result<ExportedFile, WireError>> {
    const { store, blobs, exporter } = this.#ports;
    const [stored, modelBytes] = await Promise.all([store.findTask(slug, taskVersion), blobs.get(modelHash)]);
    if (stored === null || modelBytes === null) return err(wireError("NOT_FOUND"));
    const { model, features, training } = stored.task;
    const bytes = await exporter.make({
      format,
      task: { model, features, training },
      modelBytes,
      name: slug,
      about: `A model of the task ${slug}, version ${taskVersion}, after round ${round} of run ${runNumber}`,
      metadata: {
        task: slug,
        task_version: String(taskVersion),
        task_hash: stored.taskHash,
        run: runId,
        round: String(round),
        model_sha256: modelHash,
        ...measuresMetadata(measures),
      },
    });
    const fileName = exportFileName({ task: slug, runNumber, round }, format);
    return ok({ fileName, mediaType: EXPORT_FILES[format].mediaType, bytes });
  }
}

/** Central measures with the half width of their 95 % interval and their rows, each a text. */
function measuresMetadata(
  measures: RunView["history"][number]["measures"] | null,
): Readonly<Record<string, string>> {
  const entries = listedMeasures(measures ?? {}).map(({ spec, measure }) => {
    const { value, halfWidth95, count, unit } = measure;
    return [spec.name, `${value} ± ${halfWidth95}${unit === undefined ? "" : ` ${unit}`} (${count} rows)`];
  });
  return Object.fromEntries(entries);
}
