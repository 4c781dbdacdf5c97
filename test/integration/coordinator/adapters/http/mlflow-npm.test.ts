import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { present } from "#shared/kernel/assert.ts";
import { callAll, npmClient } from "#test/kit/mlflow/npm-client.ts";
import { openShell, type Shell } from "#test/kit/worlds/shell.ts";

/*
 * The npm package `mlflow`, by somebody else, in front of the real doors, with a token. It has experiments, runs, metrics and
 * lists of files, and no registry.
 */

const folder = await npmClient();

let shell: Shell;
let token: string;
beforeAll(async () => {
  shell = await openShell();
  const ada = present(shell.asker, "ada asks")();
  shell.asker = null;
  if (ada.kind !== "person") throw new Error("ada is a person");
  const asked = { label: "npm", scopes: ["read", "runs"] as const, days: 1 };
  const made = await shell.accessDesk.makeApiToken(ada, { ...asked, scopes: [...asked.scopes] });
  if (!made.ok) throw new Error(made.error.message);
  token = made.value.token;
});
afterAll(() => shell.close());

describe.skipIf(folder === null)("the npm package mlflow", () => {
  test("[L12] makes every call that it has, except two that no server of MLflow answers", async () => {
    expect(await callAll(folder ?? "", shell.url, token)).toEqual({
      experiment: ["renamed", "active"],
      run: ["ada", "FINISHED", 5, 9, "active"],
      data: [{ acc: 0.75, loss: 0.2 }, { rate: "0.1", epochs: "3" }, { kind: "plain", more: "y" }, "string"],
      found: [true],
      history: [0.5, 0.75],
      files: [],
      refused: {
        "no run": "404 RESOURCE_DOES_NOT_EXIST",
        "a param again": "400 INVALID_PARAMETER_VALUE",
        // MLflow 2 has dropped this route.
        "Experiments.list": "404 ENDPOINT_NOT_FOUND",
        // The package leaves out a slash and asks for /experimentsset-experiment-tag.
        "Experiments.setExperimentTag": "404 ENDPOINT_NOT_FOUND",
      },
    });
  }, 120_000);
});
