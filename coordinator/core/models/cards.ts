import { CARD_FILES, type CardFormat } from "#shared/export/card/formats.ts";
import { writeCard } from "#shared/export/card/write-card.ts";
import { err, ok, type Result } from "#shared/kernel/result.ts";
import type { RunView } from "#shared/protocol/api.ts";
import { type WireError, wireError } from "#shared/protocol/errors.ts";
import type { ModelVersionView } from "#shared/protocol/registry.ts";
import { roundIdOf } from "#shared/secagg/attempt.ts";
import type { EvaluationReport } from "#shared/task/report/report.ts";
import type { CoordinatorPorts } from "../ports/ports.ts";
import type { ExportedFile } from "./exports.ts";

/** What cards read of models, runs and reports. */
interface Shown {
  model(slug: string, version: number): Promise<ModelVersionView | null>;
  runView(runId: string): Promise<RunView | null>;
  report(roundId: string): Promise<Result<EvaluationReport, WireError>>;
}

/** Model cards, made when they are asked for. Rule M9. */
export class Cards {
  readonly #ports: Pick<CoordinatorPorts, "store" | "primitives" | "codeVersion">;
  readonly #shown: Shown;

  constructor(ports: Pick<CoordinatorPorts, "store" | "primitives" | "codeVersion">, shown: Shown) {
    this.#ports = ports;
    this.#shown = shown;
  }

  /** Errors: NOT_FOUND without such a model. */
  async card(slug: string, version: number, format: CardFormat): Promise<Result<ExportedFile, WireError>> {
    const { store, primitives, codeVersion } = this.#ports;
    const model = await this.#shown.model(slug, version);
    const run = model === null ? null : await this.#shown.runView(model.runId);
    const stored = model === null ? null : await store.findTask(slug, model.taskVersion);
    if (model === null || run === null || stored === null)
      return err(wireError("NOT_FOUND", "The task has no model of this number."));
    const report = await this.#shown.report(await roundIdOf(primitives, model.runId, model.round));
    const { heldOut } = stored.settings;
    const found = report.ok ? report.value : null;
    const bytes = writeCard(format, {
      task: stored.task,
      taskHash: stored.taskHash,
      model,
      configHash: run.configHash,
      report: found,
      // What people say about a set is of the set in use, and a figure may be older.
      heldOut: heldOut != null && heldOut.hash === found?.heldOutHash ? heldOut.card : null,
      codeVersion,
      launchedWith: run.launchedWith ?? null,
    });
    const { ending, mediaType } = CARD_FILES[format];
    return ok({ fileName: `${slug}-v${version}${ending}`, mediaType, bytes });
  }
}
