import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { Ajv } from "ajv";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { bundledTask } from "#coordinator/data/tasks.ts";
import { canonicalJson, type Json } from "#shared/codec/canonical-json.ts";
import { cyclonedxCard } from "#shared/export/card/cyclonedx.ts";
import { markdownCard, markdownText } from "#shared/export/card/markdown.ts";
import type { CardSource } from "#shared/export/card/source.ts";
import { evaluationReportSchema } from "#shared/task/report/report.ts";
import { TEST_CODE } from "#test/kit/secagg-fixtures.ts";

const figure = { value: 0.931, low: 0.9, high: 0.95, interval: "wilson" } as const;
const report = evaluationReportSchema.parse({
  format: "chorus-evaluation",
  formatVersion: 1,
  task: { slug: "digits", version: 1 },
  modelHash: "ab".repeat(32),
  heldOutHash: "cd".repeat(32),
  rowCount: 359,
  environment: {
    code: "1.0.0",
    runtime: "Node.js v24",
    engine: "tfjs, wasm",
    codeHash: "c1".repeat(32),
    hash: "e0".repeat(32),
  },
  resampling: { seed: 1, times: 200 },
  measures: [
    { ...{ name: "accuracy", label: "Accuracy", unit: "share", better: "higher", about: "" }, ...figure },
    {
      ...{ name: "auc", label: "Area", unit: "none", better: "higher", about: "" },
      ...{ value: null, low: null, high: null, interval: "none" },
    },
  ],
  rows: { kind: "classes", confusion: [], byClass: [], reliability: [], roc: null },
});

function sourceOf(
  name: "digits" | "cps1998" | "emoji" | "pen-digits",
  own: Partial<CardSource> = {},
): CardSource {
  return {
    task: bundledTask(name, 8, 1),
    taskHash: "12".repeat(32),
    model: {
      ...{ version: 78, runId: "0".repeat(32), runNumber: 6, round: 30, modelHash: "ab".repeat(32) },
      ...{ madeAt: "2026-11-30T20:00:00.000Z", cohortSize: 9 },
    },
    configHash: "34".repeat(32),
    report,
    heldOut: { source: "Scans.", licence: "CC BY 4.0.", ground: "Consent.", collected: "2025" },
    codeVersion: "1.0.0",
    launchedWith: TEST_CODE,
    ...own,
  };
}

/** The official schema with those that it refers to. */
function cyclonedxSchema() {
  const ajv = new Ajv({ strict: false, validateFormats: true });
  ajv.addFormat("date-time", /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z$/);
  for (const name of ["uri", "iri-reference", "email", "idn-email"]) ajv.addFormat(name, true);
  const read = (name: string) =>
    JSON.parse(readFileSync(`test/vectors/data/cyclonedx/${name}`, "utf8")) as object;
  ajv.addSchema(read("jsf-0.82.schema.json")).addSchema(read("spdx.schema.json"));
  return ajv.compile(read("bom-1.6.schema.json"));
}

const EVIL =
  'A "task": --- # x\n- y: [z](http://evil)<script>alert(1)</script> | `a` @b www.evil.example \u2028 {{c}}';

describe("a model's card", () => {
  test.each(["digits", "cps1998", "emoji", "pen-digits"] as const)(
    "[M9] of %s is valid CycloneDX 1.6",
    (name) => {
      const validate = cyclonedxSchema();
      for (const own of [{}, { report: null, heldOut: null }]) {
        const card = JSON.parse(cyclonedxCard(sourceOf(name, own))) as { components: object[] };
        expect(validate(card), JSON.stringify(validate.errors)).toBe(true);
      }
      // The schema finds what is wrong.
      expect(
        validate({ bomFormat: "CycloneDX", specVersion: "1.6", components: [{ modelCard: { x: 1 } }] }),
      ).toBe(false);
    },
  );

  test("[M9] has a serial number of its own content", () => {
    const serialOf = (own: Partial<CardSource>) => {
      const card = JSON.parse(cyclonedxCard(sourceOf("digits", own))) as { serialNumber: string };
      return card.serialNumber;
    };
    const first = serialOf({});
    expect(first).toMatch(/^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(serialOf({})).toBe(first);
    const others = [{ codeVersion: "1.0.1" }, { report: null }, { heldOut: null }].map(serialOf);
    expect(new Set([first, ...others]).size).toBe(4);
    // SHA-256 of the document without its number, by another implementation.
    const { serialNumber, ...content } = JSON.parse(cyclonedxCard(sourceOf("digits"))) as Record<
      string,
      Json
    >;
    const hash = createHash("sha256").update(canonicalJson(content)).digest("hex");
    expect(String(serialNumber).slice(9, 22)).toBe(`${hash.slice(0, 8)}-${hash.slice(8, 12)}`);
  });

  test("[M9] says measures with intervals, limits, privacy and hashes in both formats", () => {
    const source = sourceOf("digits");
    const card = JSON.parse(cyclonedxCard(source)) as {
      components: { modelCard: { quantitativeAnalysis: object } }[];
    };
    expect(card.components[0]?.modelCard.quantitativeAnalysis).toEqual({
      performanceMetrics: [
        { type: "accuracy", value: "0.931", confidenceInterval: { lowerBound: "0.9", upperBound: "0.95" } },
      ],
    });
    const text = markdownCard(source);
    expect(text).toContain("| Accuracy | 0.931 | 0.9 to 0.95 | share |");
    for (const said of [
      "no differential privacy",
      "## Limits",
      "ab".repeat(32),
      "cd".repeat(32),
      "34".repeat(32),
    ])
      expect(text).toContain(said);
    const { hash, shellHash, commit } = TEST_CODE;
    for (const named of [hash, shellHash, commit, "c1".repeat(32), "e0".repeat(32)]) {
      expect(text).toContain(named);
      expect(cyclonedxCard(source)).toContain(named);
    }
    expect(markdownCard(sourceOf("digits"))).toBe(text);
    expect(markdownCard(sourceOf("digits", { report: null, heldOut: null }))).toContain(
      "was not judged on held-out rows",
    );
  });

  test("[M9] a task's texts become neither markup nor keys", () => {
    const clean = sourceOf("digits");
    const task = { ...clean.task, title: EVIL, purpose: EVIL, notFor: EVIL, learns: EVIL, contact: EVIL };
    const text = markdownCard({ ...clean, task });
    const [, front = "", ...body] = text.split(/^---$/m);
    const keys = (yaml: string) => Object.keys(parse(yaml) as object);
    expect(keys(front)).toEqual(keys(markdownCard(clean).split(/^---$/m)[1] ?? ""));
    const dataset = (parse(front) as { "model-index": { results: { dataset: { name: string } }[] }[] })[
      "model-index"
    ][0];
    expect(dataset?.results[0]?.dataset.name).toBe(`Held-out rows of ${EVIL}`);
    // As many headings and bullets as before, no tag and no link.
    const shape = (markdown: string) =>
      markdown.split("\n").filter((line) => /^(?:#|-|\|)/.test(line)).length;
    const plain = { ...clean.task, title: "t", purpose: "p", notFor: "n", learns: "l", contact: "c" };
    expect(shape(body.join("---"))).toBe(
      shape(
        markdownCard({ ...clean, task: plain })
          .split(/^---$/m)
          .slice(2)
          .join("---"),
      ),
    );
    expect(text.split(/^---$/m).slice(2).join("")).not.toMatch(/<script|[^\\]\]\(|[^\\]:\/\/|www\.evil/);
    expect(cyclonedxSchema()(JSON.parse(cyclonedxCard({ ...clean, task })))).toBe(true);
  });

  test("text is one line, and each character with a meaning is escaped", () => {
    expect(markdownText("a\n# b *c* <d>")).toBe("a \\# b \\*c\\* &lt;d&gt;");
  });
});
