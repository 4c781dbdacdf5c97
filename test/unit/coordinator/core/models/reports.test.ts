import { expect, test } from "vitest";
import { Reports } from "#coordinator/core/models/reports.ts";
import type { StoredTask } from "#coordinator/core/ports/ports.ts";
import { bundledTask } from "#coordinator/data/tasks.ts";
import type { ModelVersionView } from "#shared/protocol/registry.ts";
import type { Comparison } from "#shared/task/report/comparison.ts";
import type { Task } from "#shared/task/task.ts";

/* Which models are compared, and on which rows. What a comparison finds is the evaluator's matter. */

const HASH = "cd".repeat(32);
const FOUND: Comparison = {
  comparable: true,
  heldOutHash: HASH as never,
  rowCount: 300,
  resampling: { seed: 1, times: 200 },
  measures: [],
};

interface World {
  readonly versions: readonly Task[];
  /** Versions that the held-out rows fit; null without any. */
  readonly fits?: readonly number[] | null;
}

function world({ versions, fits = versions.map(({ version }) => version) }: World) {
  const asked: (readonly [first: number | undefined, second: number | undefined])[] = [];
  let heldOutHash = HASH;
  const findTask = async (slug: string, version?: number) => {
    const task = versions.find((one) => one.slug === slug && one.version === version);
    if (task === undefined) return null;
    const heldOut = fits === null ? null : { hash: heldOutHash, format: "csv", versions: fits };
    return { task, settings: { heldOut } } as unknown as StoredTask;
  };
  // Model 1 is of version 1 of the task, and its file is the byte 1.
  const model = async (slug: string, version: number) =>
    (slug === "digits" && version < 9
      ? { taskVersion: version, modelHash: String(version) }
      : null) as ModelVersionView | null;
  const roundDetail = async () => null;
  const ports = {
    store: { findTask },
    blobs: { get: async (hash: string) => Uint8Array.of(Number(hash)) },
    evaluator: {
      compare: async (first: { modelBytes: Uint8Array }, second: { modelBytes: Uint8Array }) => {
        asked.push([first.modelBytes[0], second.modelBytes[0]]);
        return FOUND;
      },
    },
  } as unknown as ConstructorParameters<typeof Reports>[0];
  return {
    reports: new Reports(ports, { roundDetail, model }),
    asked,
    replaceRows: () => {
      heldOutHash = "ef".repeat(32);
    },
  };
}

const digits = bundledTask("digits", 8, 1);
const second = bundledTask("digits", 8, 2);

test("[E62] two models are asked once of the same rows, and anew of other rows", async () => {
  const { reports, asked, replaceRows } = world({ versions: [digits, second] });
  expect(await reports.compare("digits", 1, 2)).toEqual({ ok: true, value: FOUND });
  expect(await reports.compare("digits", 1, 2)).toEqual({ ok: true, value: FOUND });
  expect(asked).toEqual([[1, 2]]);
  expect(await reports.compare("digits", 2, 1)).toEqual({ ok: true, value: FOUND });
  replaceRows();
  await reports.compare("digits", 1, 2);
  expect(asked).toEqual([
    [1, 2],
    [2, 1],
    [1, 2],
  ]);
});

test.each([
  [
    "other classes",
    { ...second, features: { ...digits.features, classes: ["even", "odd"] } } as Task,
    undefined,
    /What the models answer differs/,
  ],
  [
    "other columns",
    {
      ...second,
      features: {
        ...digits.features,
        ...(digits.features.kind === "tabular"
          ? { columns: digits.features.columns.slice(1) }
          : { range: [0, 1] as const }),
      },
    } as Task,
    undefined,
    /What the models look at differs/,
  ],
  ["rows that fit one version only", second, [1], /no held-out rows that fit its version 2/],
  ["no rows", second, null, /no held-out rows that fit its version 1/],
] as const)("[E62] with %s they are not comparable, with the reason", async (_, other, fits, reason) => {
  const { reports, asked } = world({ versions: [digits, other], ...(fits !== undefined && { fits }) });
  const found = await reports.compare("digits", 1, 2);
  expect(found).toMatchObject({ ok: true, value: { comparable: false } });
  expect(JSON.stringify(found)).toMatch(reason);
  expect(asked).toEqual([]);
});

test("what is no model of the task is NOT_FOUND, and so is the report of a round without one", async () => {
  const { reports } = world({ versions: [digits] });
  const refused = { ok: false, error: { code: "NOT_FOUND" } };
  expect(await reports.compare("digits", 1, 9)).toMatchObject(refused);
  expect(await reports.compare("hmda", 1, 1)).toMatchObject(refused);
  // A version of the task that is gone.
  expect(await reports.compare("digits", 1, 2)).toMatchObject(refused);
  expect(await reports.report("0".repeat(32))).toMatchObject(refused);
});
