import type { RunView, TaskView } from "#shared/protocol/api.ts";
import type { Decision, GateReport, ModelVersionView } from "#shared/protocol/registry.ts";
import { hash } from "./fake-rounds.ts";

/* The numbered models of made-up runs: the newest finished run's last is the champion. */

/** @param runs  Of the task, newest first. @returns newest first. */
export function modelsOf(runs: readonly RunView[], task: TaskView["task"]): ModelVersionView[] {
  const oldestFirst = runs.toReversed();
  const champion = oldestFirst.findLast(({ state }) => state === "completed");
  let version = 0;
  return oldestFirst
    .flatMap((run) =>
      run.history.slice(1).map(({ round, measures }): ModelVersionView => {
        version += 1;
        const isCandidate = round === run.roundsCommitted;
        return {
          version,
          task: task.slug,
          taskVersion: run.taskVersion,
          runId: run.runId,
          runNumber: run.number,
          round,
          modelHash: hash(`model ${run.runId} ${round}`),
          parentModelHash: hash(`model ${run.runId} ${round - 1}`),
          measures,
          aliases: isCandidate && run === champion ? ["champion"] : [],
          isCandidate,
          runState: run.state,
          cohortSize: 8,
          deviceMeasures: { before: {}, after: {} },
          updateNormL2: 1.2,
          madeAt: new Date(Date.parse(run.createdAt) + 60_000 * round).toISOString(),
        };
      }),
    )
    .toReversed();
}

/** What a task's view says of the one in use. */
export function inUseOf(models: readonly ModelVersionView[]): NonNullable<TaskView["inUse"]> | null {
  const champion = models.find(({ aliases }) => aliases.includes("champion"));
  const served = champion ?? models[0];
  if (served === undefined) return null;
  const { version, taskVersion, runId, runNumber, round, modelHash, measures } = served;
  const alias = champion === undefined ? null : "champion";
  return { version, taskVersion, runId, runNumber, round, modelHash, measures, alias };
}

export function aliasesOf(models: readonly ModelVersionView[]) {
  const items = (["champion", "challenger", "shadow", "previous"] as const).map((alias) => ({
    alias,
    version: models.find(({ aliases }) => aliases.includes(alias))?.version ?? null,
    movedAt: null,
    movedBy: null,
  }));
  return { items };
}

/** Of the newest: one gate is shut, one is open. */
export function gatesOf(models: readonly ModelVersionView[]): GateReport {
  const champion = models.find(({ aliases }) => aliases.includes("champion"))?.version ?? null;
  const figure = (value: number, unit: string) => ({ value, low: null, high: null, unit });
  return {
    version: models[0]?.version ?? 1,
    champion,
    open: false,
    promoteByItself: false,
    gates: [
      {
        kind: "measure",
        title: "accuracy",
        state: "shut",
        required: "at least 95.0 %",
        champion: figure(0.95, "share"),
        candidate: figure(0.9, "share"),
        difference: figure(-0.05, "share"),
        reason: "Its accuracy is 90.0 %, and at least 95.0 % is required.",
      },
      {
        kind: "size",
        title: "size",
        state: "open",
        required: "at most 500.0 kB",
        champion: null,
        candidate: figure(9_700, "bytes"),
        difference: null,
        reason: "Its weights take 9.7 kB.",
      },
    ],
  };
}

/** Every version was once asked by itself, and not promoted. */
export function decisionsOf(models: readonly ModelVersionView[]): { readonly items: readonly Decision[] } {
  const { version, champion, gates } = gatesOf(models);
  const sentence = `Version ${version} of digits was not promoted. Its accuracy is 90.0 %, and at least 95.0 % is required.`;
  return {
    items: [{ at: "2026-07-08T10:12:00.000Z", outcome: "not-promoted", from: champion, sentence, gates }],
  };
}
