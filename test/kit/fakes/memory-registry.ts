import type {
  ModelAliasRecord,
  ModelInUse,
  NumberedModel,
  RegistryStore,
} from "#coordinator/core/ports/registry-store.ts";
import type { StoreRecord } from "#coordinator/core/ports/store.ts";
import { present } from "#shared/kernel/assert.ts";
import type { MemoryDatabase } from "./memory-database.ts";
import { paged } from "./memory-pages.ts";

type VersionRecord = Extract<StoreRecord, { readonly type: "model-version" }>;

/** The part of `memoryStore` that numbers and names models. */
export function memoryRegistry(db: MemoryDatabase, turn: () => Promise<void>): RegistryStore {
  return {
    listModels: async (task, page) => {
      await turn();
      return paged(modelsOf(db, task).reverse(), page, ({ number }) => String(number));
    },
    findModel: async (task, number) => {
      await turn();
      return modelsOf(db, task).find((model) => model.number === number) ?? null;
    },
    modelNumbers: async (runId) => {
      await turn();
      const own = db.numbers.filter((row) => row.runId === runId);
      return new Map(own.map(({ round, number }) => [round, number]));
    },
    listAliases: async (task) => {
      await turn();
      const rows = db.aliases.filter((row) => row.task === task);
      const shown = rows.map(({ alias, number, movedAt, movedBy }) => ({ alias, number, movedAt, movedBy }));
      return shown.sort((one, other) => (one.alias < other.alias ? -1 : 1));
    },
  };
}

/** Before the version's row is written. */
export function numberVersion(db: MemoryDatabase, { version, numberedIn }: VersionRecord, at: number): void {
  const { runId, round } = version;
  const isKnown = db.versions.some((known) => known.runId === runId && known.round === round);
  if (numberedIn === undefined || isKnown) return;
  const newest = db.numbers.findLast(({ task }) => task === numberedIn);
  db.numbers.push({ task: numberedIn, number: (newest?.number ?? 0) + 1, runId, round, madeAt: at });
}

export function writeAlias(db: MemoryDatabase, { task, alias, row }: ModelAliasRecord): void {
  const index = db.aliases.findIndex((known) => known.task === task && known.alias === alias);
  if (index >= 0) db.aliases.splice(index, 1);
  if (row !== null) db.aliases.push({ task, alias, ...row });
}

export function memoryModelInUse(db: MemoryDatabase, task: string): ModelInUse | null {
  const champion = db.aliases.find((row) => row.task === task && row.alias === "champion");
  const models = modelsOf(db, task);
  const model = champion ? models.find(({ number }) => number === champion.number) : models.at(-1);
  return model === undefined ? null : { model, alias: champion === undefined ? null : "champion" };
}

/** Ascending. */
function modelsOf(db: MemoryDatabase, task: string): NumberedModel[] {
  return db.numbers
    .filter((row) => row.task === task && db.runs.has(row.runId))
    .map((row) => {
      const { runId, round } = row;
      const run = present(db.runs.get(runId), "a model's run");
      const version = db.versions.find((known) => known.runId === runId && known.round === round);
      const { modelHash, parentHash, metrics } = present(version, "a numbered model's version");
      const { taskVersion, number: runNumber, state: runState } = run;
      const isCandidate = !db.numbers.some((other) => other.runId === runId && other.round > round);
      return { ...row, modelHash, parentHash, metrics, taskVersion, runNumber, runState, isCandidate };
    });
}
