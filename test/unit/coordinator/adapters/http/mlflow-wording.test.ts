import { expect, test } from "vitest";
import { refusedFieldSentence } from "#coordinator/adapters/http/mlflow/wording.ts";

const said = (input: unknown, path: string, sentence: string, json: string | null = null) =>
  refusedFieldSentence({ input, path, sentence, json });

/* The sentences are those of MLflow's server 3.17 for the same requests. */

test("[L10] a field that is missing or does not fit is named as MLflow's own server names it", () => {
  const missing =
    "Missing value for required parameter 'key'. See the API docs for more information about request parameters.";
  expect(said({}, "key", "Missing: a text is wanted.")).toBe(missing);
  expect(said({ key: null }, "key", "Must be a text.")).toBe(missing);
  expect(said({ key: 31 }, "key", "Must be a text.")).toBe(
    "Invalid value 31 for parameter 'key' supplied: Must be a text.",
  );
  expect(said({ step: "foo" }, "step", "Must be a number.")).toContain(
    `Invalid value "foo" for parameter 'step' supplied`,
  );
  const metrics = [{ key: "mae", value: 2.5 }];
  expect(said({ metrics }, "metrics.0.timestamp", "Missing: a number is wanted.")).toBe(
    `Invalid value [{"key":"mae","value":2.5}] for parameter 'metrics' supplied: Missing value for required parameter 'metrics[0].timestamp'.`,
  );
  expect(said({ version: "x1" }, "version", "The number of a version.")).toBe(
    "Parameter 'version' must be an integer, got 'x1'.",
  );
  expect(said({ path: "../a" }, "path", "Must be a relative path that does not climb.")).toBe("Invalid path");
  expect(said({ value: "x".repeat(9_000) }, "value", "May have at most 8000 characters.")).toBe(
    "'value' exceeds the maximum length of 8000 characters",
  );
  expect(
    said({ stage: "Best" }, "stage", 'Must be one of "None", "Staging", "Production", "Archived".'),
  ).toBe("Invalid Model Version stage: Best. Value must be one of None, Staging, Production, Archived.");
});

test("[L10] a number is shown with the digits that were sent, and nothing long is shown whole", () => {
  const json = '{"name":9.0}';
  expect(said(JSON.parse(json), "name", "Must be a text.", json)).toContain("Invalid value 9.0 for");
  expect(said({ name: ["y".repeat(5_000)] }, "name", "Must be a text.").length).toBeLessThan(300);
  for (const key of ["__proto__", "constructor", ""]) {
    const [before = ""] = said({}, key, "There is no such field.").split(".");
    expect(before).toBe(
      key === "" ? "There is no such field" : `Missing value for required parameter '${key}'`,
    );
  }
});
