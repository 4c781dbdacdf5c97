import { z } from "@hono/zod-openapi";
import { CARD_FILES, CARD_FORMATS } from "#shared/export/card/formats.ts";
import { portabilitySchema } from "#shared/export/portability.ts";
import { modelNumberSchema } from "#shared/protocol/aliases.ts";
import { decimalSchema, roundIdSchema, taskSlugSchema } from "#shared/protocol/ids.ts";
import { comparisonSchema } from "#shared/task/report/comparison.ts";
import { evaluationReportSchema } from "#shared/task/report/report.ts";
import type { Reported } from "../../../core/coordinator.ts";
import { API, named } from "../dialect.ts";
import { type Endpoint, jsonEndpoint, rawEndpoint } from "../endpoint.ts";
import { unwrapped } from "./answers.ts";
import { answerFile, FILE_BYTES } from "./file-answer.ts";

const modelNumber = decimalSchema.pipe(modelNumberSchema);

/** Reports of evaluations, and comparisons of two models on the same rows. */
export function reportEndpoints({ reports }: { readonly reports: Reported }): readonly Endpoint[] {
  return [
    jsonEndpoint({
      method: "get",
      path: "/api/v1/rounds/{roundId}/report",
      summary: "All that is known of a round's model on the held-out rows, with intervals",
      dialect: API,
      permission: "runs.read",
      params: z.strictObject({ roundId: roundIdSchema }),
      about: ({ params: { roundId } }) => ({ type: "round", id: roundId }),
      answer: named(evaluationReportSchema, "EvaluationReport"),
      handle: async ({ params: { roundId } }) =>
        evaluationReportSchema.parse(unwrapped(await reports.report(roundId))),
    }),
    jsonEndpoint({
      method: "get",
      path: "/api/v1/tasks/{slug}/comparisons",
      summary: "How a task's model b differs from its model a, both asked anew of the same held-out rows",
      dialect: API,
      permission: "runs.read",
      params: z.strictObject({ slug: taskSlugSchema }),
      query: z.strictObject({ a: modelNumber, b: modelNumber }),
      rate: "trials",
      about: ({ params: { slug } }) => ({ type: "task", id: slug }),
      answer: named(comparisonSchema, "Comparison"),
      handle: async ({ params: { slug }, query: { a, b } }) =>
        comparisonSchema.parse(unwrapped(await reports.compare(slug, a, b))),
    }),
    jsonEndpoint({
      method: "get",
      path: "/api/v1/tasks/{slug}/models/{number}/portability",
      summary: "How a model does in onnxruntime as it leaves, and what 8 bits cost it",
      dialect: API,
      permission: "runs.read",
      params: z.strictObject({ slug: taskSlugSchema, number: modelNumber }),
      rate: "trials",
      about: ({ params: { slug } }) => ({ type: "task", id: slug }),
      answer: named(portabilitySchema, "Portability"),
      handle: async ({ params: { slug, number } }) =>
        portabilitySchema.parse(unwrapped(await reports.portability(slug, number))),
    }),
    rawEndpoint({
      method: "get",
      path: "/api/v1/tasks/{slug}/models/{number}/card/{format}",
      summary: "A model's card: Markdown with Hugging Face's front matter, or CycloneDX 1.6",
      dialect: API,
      permission: "models.read",
      params: z.strictObject({ slug: taskSlugSchema, number: modelNumber, format: z.enum(CARD_FORMATS) }),
      responses: {
        200: {
          description: "The card",
          content: Object.fromEntries(CARD_FORMATS.map((name) => [CARD_FILES[name].mediaType, FILE_BYTES])),
        },
      },
      about: ({ slug }) => ({ type: "task", id: slug }),
      handle: ({ slug, number, format }, asked) =>
        answerFile(asked, () => reports.card(slug, number, format)),
    }),
  ];
}
