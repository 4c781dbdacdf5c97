import { canonicalJson } from "#shared/codec/canonical-json.ts";
import { assert } from "#shared/kernel/assert.ts";
import { bytesToHex } from "#shared/kernel/bytes.ts";
import { err, ok, type Result } from "#shared/kernel/result.ts";
import { SerialQueue } from "#shared/kernel/serial-queue.ts";
import type { Alias, FreeAlias } from "#shared/protocol/aliases.ts";
import { type WireError, wireError } from "#shared/protocol/errors.ts";
import type {
  AliasMove,
  AliasView,
  Decision,
  GateReport,
  ModelVersionView,
} from "#shared/protocol/registry.ts";
import { loggedInRegistry, type RegistryEvent, registryFactOf } from "#shared/registry/log.ts";
import { allOpen } from "#shared/task/gates/index.ts";
import { judgingKey } from "#shared/task/settings.ts";
import { MACHINE } from "../access/principal.ts";
import type { Override } from "../access/promotions.ts";
import type { ModelRegistry } from "../coordinator.ts";
import { type GateJudge, NO_RULES, unknownVersion } from "../models/gate-judge.ts";
import type { CoordinatorPorts } from "../ports/ports.ts";
import type { AliasRow, JudgedVersion } from "../ports/registry-store.ts";
import { ALL_READABLE, type Listed, type Page, type StoredTask } from "../ports/store.ts";
import {
  aliasViews,
  decisionView,
  gateReportView,
  gatesShut,
  modelVersionView,
} from "../views/registry-view.ts";
import { registryRecords } from "./registry-events.ts";

type RegistryPorts = Pick<CoordinatorPorts, "store" | "wall" | "primitives" | "random" | "log">;
type WithoutPlace<Event> = Event extends unknown ? Omit<Event, "slug" | "actor"> : never;
type Promotion = { readonly version: number; readonly expected: number | null };

/** What a move sees in its turn. */
interface Sight {
  readonly stored: StoredTask;
  readonly aliases: readonly AliasRow[];
  readonly champion: number | null;
}

/** A task's numbered models and their aliases. Each move is an event of the task's registry, with an audit leaf (G2). */
export class RegistryDesk implements ModelRegistry {
  readonly #ports: RegistryPorts;
  readonly #judge: GateJudge;
  /** One move at a time, so that what a sender believes is compared with what is. */
  readonly #moves = new SerialQueue();

  constructor(ports: RegistryPorts, judge: GateJudge) {
    this.#ports = ports;
    this.#judge = judge;
  }

  async listModels(slug: string, page: Page): Promise<Listed<ModelVersionView>> {
    const { store } = this.#ports;
    const [{ items, next }, aliases] = await Promise.all([
      store.listModels(slug, page),
      store.listAliases(slug),
    ]);
    return { items: items.map((model) => modelVersionView(model, aliases)), next };
  }

  async model(slug: string, version: number): Promise<ModelVersionView | null> {
    const { store } = this.#ports;
    const model = await store.findModel(slug, version);
    return model && modelVersionView(model, await store.listAliases(slug));
  }

  async aliases(slug: string): Promise<readonly AliasView[]> {
    return aliasViews(await this.#ports.store.listAliases(slug));
  }

  async modelByAlias(slug: string, alias: Alias): Promise<ModelVersionView | null> {
    const version = numberOf(await this.#ports.store.listAliases(slug), alias);
    return version === null ? null : this.model(slug, version);
  }

  async gates(slug: string, version?: number): Promise<Result<GateReport, WireError>> {
    const asked = version ?? (await this.#ports.store.listModels(slug, { limit: 1 })).items[0]?.number;
    if (asked === undefined) return err(wireError("NOT_FOUND", "No round of this task has committed yet."));
    const judged = await this.#judge.judge(slug, asked);
    return judged.ok ? ok(gateReportView(judged.value)) : judged;
  }

  async decisions(slug: string, version: number): Promise<readonly Decision[]> {
    const events = await this.#events(slug);
    return events.flatMap(({ event, at }) => decisionView(event, at, version) ?? []).reverse();
  }

  moveAlias(
    slug: string,
    alias: FreeAlias,
    { version, expected }: AliasMove,
    actor: string,
  ): Promise<Result<AliasView, WireError>> {
    return this.#move(slug, async ({ aliases }) => {
      const from = numberOf(aliases, alias);
      if (from !== expected) return err(conflict(slug, alias, from));
      if (version !== null && (await this.#ports.store.findModel(slug, version)) === null)
        return err(unknownVersion(slug, version));
      // A move without effect is no event.
      if (version !== from) await this.#write(slug, { type: "alias-moved", alias, from, to: version }, actor);
      return this.#viewOf(slug, alias);
    });
  }

  async promote(slug: string, promotion: Promotion, actor: string): Promise<Result<AliasView, WireError>> {
    const judged = await this.#judged(slug, promotion);
    if (!judged.ok) return judged;
    return this.#move(slug, async (sight) => {
      const refusal = promotionRefusal(slug, promotion, sight) ?? staleRefusal(judged.value, sight);
      if (refusal !== null) return err(refusal);
      const { version: to, gates } = judged.value;
      if (!allOpen(gates)) return err(gatesShut(judged.value));
      await this.#write(slug, { type: "promoted", from: sight.champion, to, gates: [...gates] }, actor);
      return this.#viewOf(slug, "champion");
    });
  }

  rollBack(slug: string, expected: number, actor: string): Promise<Result<AliasView, WireError>> {
    return this.#move(slug, async ({ aliases, champion: from }) => {
      if (from === null || from !== expected) return err(conflict(slug, "champion", from));
      const to = numberOf(aliases, "previous");
      if (to === null) return err(wireError("CONFLICT", `${slug} has no version to go back to.`));
      await this.#write(slug, { type: "rolled-back", from, to }, actor);
      return this.#viewOf(slug, "champion");
    });
  }

  overrideRefusal({ task, ...promotion }: Override["act"]): Promise<WireError | null> {
    return this.#judged(task, promotion).then((judged) => (judged.ok ? null : judged.error));
  }

  async promoteDespiteGates({ act, actor, marks, ...decision }: Override): Promise<Result<void, WireError>> {
    const { task: slug, ...promotion } = act;
    // It was promoted before, and the agreement could not be written.
    if (await this.#wasPromotedBy(slug, decision.proposalId)) return ok(undefined);
    const judged = await this.#judged(slug, promotion);
    if (!judged.ok) return judged;
    return this.#move(slug, async (sight) => {
      const refusal = promotionRefusal(slug, promotion, sight);
      if (refusal !== null) return err(refusal);
      const { version: to, gates } = judged.value;
      const reasonSalt = bytesToHex(this.#ports.random(32));
      const promoted = { from: sight.champion, to, gates: [...gates], alone: false, reasonSalt, ...decision };
      await this.#write(slug, { type: "promoted-despite-gates", ...promoted }, actor, marks);
      return ok(undefined);
    });
  }

  /**
   * Puts a run's candidate in use if its task promotes by itself and all gates are open; the log says so either way (G7).
   * Nothing happens if that was decided before.
   */
  async considerCandidate(slug: string, version: number): Promise<void> {
    try {
      await this.#consider(slug, version);
    } catch (error) {
      const fields = { task: slug, version, error: String(error) };
      this.#ports.log.error(
        fields,
        "a candidate's gates could not be asked; they are asked again at the next start",
      );
    }
  }

  /** Considers of each task the candidate that a process before this one left without a decision. */
  async considerLeft(): Promise<void> {
    const { store, log } = this.#ports;
    try {
      let cursor: string | undefined;
      do {
        const { items, next } = await store.listTasks(ALL_READABLE, { limit: 100, cursor });
        cursor = next ?? undefined;
        for (const { settings, inUse, task } of items) {
          if (settings.promotion?.promoteByItself !== true || inUse === null) continue;
          const version = await this.#leftOf(task.slug);
          if (version !== null) await this.considerCandidate(task.slug, version);
        }
      } while (cursor !== undefined);
    } catch (error) {
      log.error({ error: String(error) }, "candidates of earlier runs could not be looked for");
    }
  }

  /**
   * The candidate of the newest run that has ended, unless someone has moved the champion since then: that was a choice
   * among all versions so far (G7). Newer runs may still be open.
   */
  async #leftOf(slug: string): Promise<number | null> {
    const { store } = this.#ports;
    const champion = (await store.listAliases(slug)).find(({ alias }) => alias === "champion");
    let cursor: string | undefined;
    do {
      const { items, next } = await store.listModels(slug, { limit: 100, cursor });
      cursor = next ?? undefined;
      for (const { number, isCandidate, runId, runState } of items) {
        if (champion !== undefined && number <= champion.number) return null;
        if (!isCandidate || (runState !== "completed" && runState !== "failed")) continue;
        const endedAt = Date.parse((await store.findRun(runId))?.view.endedAt ?? "");
        return champion === undefined || endedAt > champion.movedAt ? number : null;
      }
    } while (cursor !== undefined);
    return null;
  }

  async #consider(slug: string, version: number): Promise<void> {
    if (!(await this.#promotesByItself(slug)) || (await this.#wasDecided(slug, version))) return;
    const judged = await this.#judge.judge(slug, version);
    if (!judged.ok) return;
    const { champion, gates } = judged.value;
    const done = await this.#move(slug, async (sight) => {
      const { champion: from, stored } = sight;
      // Someone put it in use meanwhile, or a later one.
      if (from !== null && from >= version) return ok("decided");
      const decision = { from, to: version, gates: [...gates] };
      if (from !== champion) {
        await this.#write(slug, { type: "not-promoted", ...decision, overtaken: true }, MACHINE);
        return ok("decided");
      }
      if (!isJudgedAsNow(judged.value, stored)) return ok("gates-changed");
      const type = allOpen(gates) ? "promoted" : "not-promoted";
      await this.#write(slug, { type, ...decision }, MACHINE);
      return ok("decided");
    });
    if (done.ok && done.value === "gates-changed") await this.#consider(slug, version);
  }

  async #promotesByItself(slug: string): Promise<boolean> {
    const settings = (await this.#ports.store.findTask(slug))?.settings;
    return settings?.promotion?.promoteByItself === true && settings.archived === null;
  }

  async #wasDecided(slug: string, version: number): Promise<boolean> {
    return (await this.#events(slug)).some(
      ({ event }) => event.actor === MACHINE && (event.to ?? 0) >= version,
    );
  }

  async #wasPromotedBy(slug: string, proposalId: string): Promise<boolean> {
    return (await this.#events(slug)).some(
      ({ event }) => event.type === "promoted-despite-gates" && event.proposalId === proposalId,
    );
  }

  /** Rows of a newer program are left out. */
  async #events(slug: string): Promise<readonly { readonly event: RegistryEvent; readonly at: number }[]> {
    const rows = await this.#ports.store.readStream({ kind: "registry", id: slug });
    return rows.flatMap((row) => {
      const fact = registryFactOf(row);
      return fact.ok ? [{ event: fact.value, at: row.at }] : [];
    });
  }

  /** Judges outside any turn, because it may take minutes. What costs nothing is checked first. */
  async #judged(slug: string, promotion: Promotion): Promise<Result<JudgedVersion, WireError>> {
    const sight = await this.#sight(slug);
    if (sight === null) return err(wireError("NOT_FOUND"));
    const refusal = promotionRefusal(slug, promotion, sight);
    return refusal === null ? this.#judge.judge(slug, promotion.version) : err(refusal);
  }

  async #sight(slug: string): Promise<Sight | null> {
    const { store } = this.#ports;
    const stored = await store.findTask(slug);
    if (stored === null) return null;
    const aliases = await store.listAliases(slug);
    return { stored, aliases, champion: numberOf(aliases, "champion") };
  }

  #move<T>(
    slug: string,
    move: (sight: Sight) => Promise<Result<T, WireError>>,
  ): Promise<Result<T, WireError>> {
    return this.#moves.run(async () => {
      const sight = await this.#sight(slug);
      return sight === null ? err(wireError("NOT_FOUND")) : move(sight);
    });
  }

  async #viewOf(slug: string, alias: Alias): Promise<Result<AliasView, WireError>> {
    const view = (await this.aliases(slug)).find((one) => one.alias === alias);
    assert(view !== undefined, "every alias has a view");
    return ok(view);
  }

  async #write(
    slug: string,
    made: WithoutPlace<RegistryEvent>,
    actor: string,
    marks?: Override["marks"],
  ): Promise<void> {
    const { store, wall, primitives } = this.#ports;
    const at = wall.nowUnixMs();
    const event = { ...made, slug, actor } as RegistryEvent;
    const written = await store.appendNext(
      { kind: "registry", id: slug },
      { at, event: loggedInRegistry(event) },
      await registryRecords(primitives, event, at, await marks?.(at)),
    );
    assert(written.ok, "an alias moves, no task is made");
  }
}

function numberOf(rows: readonly AliasRow[], alias: Alias): number | null {
  return rows.find((row) => row.alias === alias)?.number ?? null;
}

function promotionRefusal(
  slug: string,
  { version, expected }: Promotion,
  { champion }: Sight,
): WireError | null {
  if (champion !== expected) return conflict(slug, "champion", champion);
  return version === champion
    ? wireError("CONFLICT", `Version ${version} of ${slug} is in use already.`)
    : null;
}

/** A judgement counts only for what it was made of. */
function staleRefusal(judged: JudgedVersion, sight: Sight): WireError | null {
  return judged.champion === sight.champion && isJudgedAsNow(judged, sight.stored)
    ? null
    : wireError(
        "CONFLICT",
        "The champion, the gates, the held-out rows or the costs of errors changed meanwhile. Try again.",
      );
}

/** True if the task has the same rules, rows and costs now. */
function isJudgedAsNow({ rules, judgedBy }: JudgedVersion, { settings }: StoredTask): boolean {
  return (
    canonicalJson(rules) === canonicalJson(settings.promotion ?? NO_RULES) &&
    judgedBy === judgingKey(settings)
  );
}

function conflict(slug: string, alias: Alias, holder: number | null): WireError {
  const now = holder === null ? "names no version" : `is version ${holder}`;
  return wireError("CONFLICT", `@${alias} of ${slug} ${now} now. Nothing was moved. Read it and try again.`);
}
