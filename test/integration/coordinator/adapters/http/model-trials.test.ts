import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { err, ok } from "#shared/kernel/result.ts";
import { wireError } from "#shared/protocol/errors.ts";
import type { Comparison } from "#shared/task/report/comparison.ts";
import { openShell, type Shell } from "#test/kit/worlds/shell.ts";

/* What asks a model anew of all held-out rows takes seconds: such requests wait for one another, and nothing waits for them. */

const NOT_COMPARABLE: Comparison = { comparable: false, reason: "For this test." };

let shell: Shell;
beforeAll(async () => {
  shell = await openShell();
});
afterAll(() => shell.close());

test("[E62] [W10] comparisons run one at a time, and other reads are answered meanwhile", async () => {
  const held: (() => void)[] = [];
  vi.spyOn(shell.core, "compare").mockImplementation(async () => {
    await new Promise<void>((resolve) => held.push(resolve));
    return ok(NOT_COMPARABLE);
  });
  const ask = (version: number) => fetch(`${shell.url}/api/v1/tasks/digits/comparisons?a=1&b=${version}`);
  // More than there are places for reads.
  const asked = [2, 3, 4, 5, 6].map(ask);
  await vi.waitFor(() => expect(held).toHaveLength(1));
  for (let time = 0; time < 5; time++) expect((await fetch(`${shell.url}/api/v1/tasks`)).status).toBe(200);
  expect(held).toHaveLength(1);
  for (let done = 1; done <= asked.length; done++) {
    await vi.waitFor(() => expect(held).toHaveLength(done));
    held[done - 1]?.();
  }
  const answers = await Promise.all(asked);
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
  expect(await answers[0]?.json()).toEqual(NOT_COMPARABLE);
});

test("[G5] [W10] a promotion waits for its turn among them, because gates may ask the same; going back does not wait", async () => {
  const held: (() => void)[] = [];
  vi.spyOn(shell.core, "compare").mockImplementation(async () => {
    await new Promise<void>((resolve) => held.push(resolve));
    return ok(NOT_COMPARABLE);
  });
  const refused = err(wireError("CONFLICT", "For this test."));
  const promote = vi.spyOn(shell.core, "promote").mockResolvedValue(refused);
  const rollBack = vi.spyOn(shell.core, "rollBack").mockResolvedValue(refused);
  const post = (body: unknown) =>
    fetch(`${shell.url}/api/v1/tasks/digits/promotions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
  const comparing = fetch(`${shell.url}/api/v1/tasks/digits/comparisons?a=1&b=2`);
  await vi.waitFor(() => expect(held).toHaveLength(1));
  const promoting = post({ act: "promote", version: 2, expected: 1 });
  expect((await post({ act: "go-back", expected: 1 })).status).toBe(409);
  expect(rollBack).toHaveBeenCalledTimes(1);
  expect(promote).not.toHaveBeenCalled();
  held[0]?.();
  expect((await comparing).status).toBe(200);
  expect((await promoting).status).toBe(409);
  expect(promote).toHaveBeenCalledTimes(1);
});

test("[L7] [W10] MLflow's way to promote waits among them, too; other aliases do not", async () => {
  const held: (() => void)[] = [];
  vi.spyOn(shell.core, "compare").mockImplementation(async () => {
    await new Promise<void>((resolve) => held.push(resolve));
    return ok(NOT_COMPARABLE);
  });
  const answered: string[] = [];
  const name = async (alias: string) => {
    const { status } = await fetch(`${shell.url}/api/2.0/mlflow/registered-models/alias`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ name: "digits", alias, version: "1" }),
    });
    answered.push(alias);
    return status;
  };
  const comparing = fetch(`${shell.url}/api/v1/tasks/digits/comparisons?a=1&b=3`);
  await vi.waitFor(() => expect(held).toHaveLength(1));
  const promoting = name("champion");
  // Neither is found here; what matters is when they are asked.
  expect(await name("challenger")).toBe(404);
  expect(answered).toEqual(["challenger"]);
  held[0]?.();
  expect((await comparing).status).toBe(200);
  expect(await promoting).toBe(404);
});
