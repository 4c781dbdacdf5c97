import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { ModelInUse, type ServedModel } from "#client/core/participant/model-in-use.ts";
import { servedModel } from "#client/core/participant/served-model.ts";
import type { ModelView } from "#client/core/view.ts";
import { modelToBytes } from "#shared/codec/model-bytes.ts";
import { present } from "#shared/kernel/assert.ts";
import type { Bytes } from "#shared/kernel/bytes.ts";
import { err, ok } from "#shared/kernel/result.ts";
import { primitives } from "#shared/node/system.ts";
import { modelTensors } from "#shared/task/model.ts";
import type { Task } from "#shared/task/task.ts";
import { smallTask } from "#test/kit/worlds/small-task.ts";

/* Which model a device predicts with. Its link serves three models of the task. */

const task = smallTask(3);
const layout = modelTensors(task.model);
const models = [1, 2, 3].map((value) => {
  const bytes = modelToBytes(layout, new Float32Array(layout.parameterCount).fill(value));
  return { value, bytes, hash: createHash("sha256").update(bytes).digest("hex") };
});
const [champion, next, newest] = models.map(({ hash }) => hash) as [string, string, string];
const PROMOTED = { runId: "01".repeat(16), round: 7 };

function open(kept: { readonly modelHash: string; readonly bytes: Bytes } | null = null) {
  const views: (ModelView | null)[] = [];
  const stored: string[] = [];
  const fetchModel = async (hash: string) =>
    ok(
      present(
        models.find((model) => model.hash === hash),
        "a served model",
      ).bytes,
    );
  const store = {
    newest: async () => kept && { ...kept, slug: task.slug, runId: null, round: null },
    put: async ({ modelHash }: { readonly modelHash: string }) => void stored.push(modelHash),
    setOrigin: async () => undefined,
  };
  const model = new ModelInUse(task, store as never, { link: { fetchModel } as never, primitives }, (view) =>
    views.push(view),
  );
  const weight = () => model.weights?.[0] ?? null;
  return { model, views, stored, weight };
}
const served = (modelHash: string, promoted: ServedModel["promoted"] = null) => ({ modelHash, promoted });

test("[G3] a promoted model is what a device predicts with, whichever models its rounds bring", async () => {
  const { model, views, stored, weight } = open();
  await model.restore(served(champion, PROMOTED));
  expect([model.wanted, model.isPromoted]).toEqual([champion, true]);
  await model.cache.fetch(next);
  expect([weight(), stored]).toEqual([null, []]);
  await model.cache.fetch(champion);
  await model.cache.fetch(newest);
  expect([weight(), stored, model.wanted]).toEqual([1, [champion], null]);
  expect(views).toEqual([{ modelHash: champion, ...PROMOTED, byteCount: models[0]?.bytes.length }]);
});

test("[G3] a device that holds another model uses it until the promoted one is here", async () => {
  const { model, weight } = open({ modelHash: newest, bytes: present(models[2], "the newest").bytes });
  await model.restore(served(champion, PROMOTED));
  expect([weight(), model.wanted]).toEqual([3, champion]);
  await model.cache.fetch(champion);
  expect([weight(), model.wanted]).toEqual([1, null]);
});

test("[G3] without a promoted one, the newest that came is used", async () => {
  const { model, weight } = open();
  await model.restore(served(champion));
  expect([model.wanted, model.isPromoted]).toEqual([champion, false]);
  await model.cache.fetch(next);
  await model.cache.fetch(newest);
  expect([weight(), model.wanted]).toEqual([3, null]);
  // Nobody asks for the served one again, which is older than what the rounds brought.
  const alone = open({ modelHash: newest, bytes: present(models[2], "the newest").bytes });
  await alone.model.restore(null);
  expect([alone.weight(), alone.model.wanted]).toEqual([3, null]);
});

describe("[G3] a model in use that was made for another version of the task", () => {
  const newer = { ...task, version: task.version + 1 };
  const inUse = { ...PROMOTED, taskVersion: task.version, modelHash: champion, alias: "champion" } as never;
  const served = { task: newer, inUse, latestModelHash: champion as never };
  const servedTo = (made: Task | null) => {
    const asked: unknown[] = [];
    const fetchTask = async (slug: string, version?: number) => {
      asked.push([slug, version]);
      return made === null ? err({ type: "offline" }) : ok({ task: made });
    };
    return servedModel(served, { fetchTask: fetchTask as never }).then((model) => ({ model, asked }));
  };

  test("is used if columns, classes and layers are the same", async () => {
    expect(await servedTo({ ...task, purpose: "another" })).toEqual({
      model: { modelHash: champion, promoted: PROMOTED },
      asked: [[task.slug, task.version]],
    });
  });

  test("is not used if they differ, or if that is not known", async () => {
    const { features } = task;
    const turned =
      "classes" in features ? { ...features, classes: [...features.classes].reverse() } : features;
    expect(turned).not.toEqual(features);
    expect((await servedTo({ ...task, features: turned })).model).toBeNull();
    const layers = [...task.model.layers, ...task.model.layers];
    expect((await servedTo({ ...task, model: { ...task.model, layers } })).model).toBeNull();
    expect((await servedTo(null)).model).toBeNull();
  });

  test("needs no look if it is of the same version; earlier coordinators name only a model", async () => {
    const fetchTask = () => Promise.reject(new Error("nobody asks"));
    expect(await servedModel({ ...served, task }, { fetchTask })).toMatchObject({ promoted: PROMOTED });
    expect(await servedModel({ task, latestModelHash: champion as never }, { fetchTask })).toEqual({
      ...{ modelHash: champion, promoted: null },
    });
    expect(await servedModel({ ...served, inUse: null }, { fetchTask })).toBeNull();
  });
});
