import { err, ok, type Result } from "#shared/kernel/result.ts";
import { type WireError, wireError } from "#shared/protocol/errors.ts";
import { judgeGates, needsOf, type PromotionRules } from "#shared/task/gates/index.ts";
import { judgingKey } from "#shared/task/settings.ts";
import type { CoordinatorPorts } from "../ports/ports.ts";
import type { JudgedVersion, NumberedModel } from "../ports/registry-store.ts";
import type { GateEvidenceDesk } from "./gate-evidence.ts";

/** A task without rules: whoever promotes a version decides. */
export const NO_RULES: PromotionRules = { gates: [], promoteByItself: false };

/** Asks a task's gates about its versions (G5). */
export class GateJudge {
  readonly #store: CoordinatorPorts["store"];
  readonly #evidence: GateEvidenceDesk;

  constructor(store: CoordinatorPorts["store"], evidence: GateEvidenceDesk) {
    this.#store = store;
    this.#evidence = evidence;
  }

  /** Errors: NOT_FOUND. @throws if evidence cannot be had now; asking again may help. */
  async judge(slug: string, version: number): Promise<Result<JudgedVersion, WireError>> {
    const candidate = await this.#store.findModel(slug, version);
    const stored = candidate && (await this.#store.findTask(slug, candidate.taskVersion));
    if (candidate === null || stored === null) return err(unknownVersion(slug, version));
    const champion = await this.#championOf(slug);
    const rules = stored.settings.promotion ?? NO_RULES;
    const judged = { task: stored.task, candidate, champion };
    const gates =
      rules.gates.length === 0
        ? []
        : judgeGates(rules.gates, await this.#evidence.gather(judged, needsOf(rules.gates)));
    const judgedBy = judgingKey(stored.settings);
    return ok({ version, champion: champion?.number ?? null, rules, judgedBy, gates });
  }

  async #championOf(slug: string): Promise<NumberedModel | null> {
    const aliases = await this.#store.listAliases(slug);
    const champion = aliases.find(({ alias }) => alias === "champion");
    return champion === undefined ? null : this.#store.findModel(slug, champion.number);
  }
}

export function unknownVersion(slug: string, version: number): WireError {
  return wireError("NOT_FOUND", `${slug} has no version ${version}.`);
}
