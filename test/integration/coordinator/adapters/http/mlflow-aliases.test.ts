import { expect, test } from "vitest";
import type { TokenScope } from "#shared/access/roles.ts";
import { present } from "#shared/kernel/assert.ts";
import { openWholeShell } from "#test/kit/worlds/whole-shell.ts";

/* Who may move the aliases of a task's model and of others through MLflow's endpoints. */

test("[L7] [W13] a token for runs moves the aliases of people's models, and none of a task's", async () => {
  const world = await openWholeShell();
  try {
    const { shell, federation, tracked } = world;
    const [admin] = shell.accessDesk.book.admins();
    const asked = async (scopes: readonly TokenScope[], method: string, body: object) => {
      const terms = { label: "mlflow", scopes, days: 1 };
      const token = await shell.accessDesk.makeApiToken(present(admin, "an admin"), terms);
      if (!token.ok) throw new Error(token.error.message);
      const response = await fetch(`${shell.url}/api/2.0/mlflow/registered-models/alias`, {
        method,
        headers: { authorization: `Bearer ${token.value.token}`, "content-type": "application/json" },
        body: JSON.stringify(body),
      });
      return [response.status, await response.text()];
    };
    const runs = ["read", "runs"] as const;
    const { slug } = federation.task;
    const challenger = { name: slug, alias: "challenger", version: "1" };
    const held = async () =>
      (await federation.coordinator.registry.modelByAlias(slug, "challenger"))?.version ?? null;
    const refusal = [403, expect.stringMatching(/PERMISSION_DENIED.*scope/)];
    for (const alias of ["challenger", "champion"])
      expect(await asked(runs, "POST", { ...challenger, alias })).toEqual(refusal);
    expect(await held()).toBeNull();
    expect(await asked([...runs, "tasks"], "POST", challenger)).toEqual([200, "{}"]);
    expect(await held()).toBe(1);
    expect(await asked(runs, "DELETE", { name: slug, alias: "challenger" })).toEqual(refusal);
    expect(await held()).toBe(1);
    expect(await asked([...runs, "tasks"], "DELETE", { name: slug, alias: "challenger" })).toEqual([
      200,
      "{}",
    ]);
    expect(await held()).toBeNull();
    const own = { name: present(tracked["name"], "a model of people"), alias: "best" };
    expect(await asked(runs, "POST", { ...own, version: "1" })).toEqual([200, "{}"]);
    expect(await asked(runs, "DELETE", own)).toEqual([200, "{}"]);
  } finally {
    await world.close();
  }
}, 120_000);
