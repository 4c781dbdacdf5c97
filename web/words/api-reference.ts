import { z } from "zod";
import { formatCount } from "./format.ts";

/*
 * The API's own description, GET /api/v1/openapi.json, as people read it: operations by subject, each with what it takes
 * and gives.
 */

/** The part of JSON Schema that the description uses. Everything else is shown as "any value". */
interface JsonSchema {
  readonly $ref?: string | undefined;
  readonly type?: string | readonly string[] | undefined;
  readonly description?: string | undefined;
  readonly enum?: readonly unknown[] | undefined;
  readonly const?: unknown;
  readonly format?: string | undefined;
  readonly properties?: Readonly<Record<string, JsonSchema>> | undefined;
  readonly required?: readonly string[] | undefined;
  readonly items?: JsonSchema | undefined;
  readonly anyOf?: readonly JsonSchema[] | undefined;
  readonly oneOf?: readonly JsonSchema[] | undefined;
  readonly minimum?: number | undefined;
  readonly maximum?: number | undefined;
  readonly maxLength?: number | undefined;
}

const jsonSchema: z.ZodType<JsonSchema> = z.lazy(() =>
  z.object({
    $ref: z.string().optional(),
    type: z.union([z.string(), z.array(z.string())]).optional(),
    description: z.string().optional(),
    enum: z.array(z.unknown()).optional(),
    const: z.unknown().optional(),
    format: z.string().optional(),
    properties: z.record(z.string(), jsonSchema).optional(),
    required: z.array(z.string()).optional(),
    items: jsonSchema.optional(),
    anyOf: z.array(jsonSchema).optional(),
    oneOf: z.array(jsonSchema).optional(),
    minimum: z.number().optional(),
    maximum: z.number().optional(),
    maxLength: z.number().optional(),
  }),
);

const content = z.record(z.string(), z.object({ schema: jsonSchema.optional() })).optional();
const operationSchema = z.object({
  operationId: z.string(),
  tags: z.array(z.string()),
  summary: z.string(),
  description: z.string(),
  servers: z.array(z.object({ url: z.string() })).optional(),
  parameters: z
    .array(
      z.object({
        name: z.string(),
        in: z.string(),
        required: z.boolean().optional(),
        schema: jsonSchema,
      }),
    )
    .default([]),
  requestBody: z.object({ content }).optional(),
  responses: z.record(z.string(), z.object({ description: z.string(), content })),
});

export const apiDescriptionSchema = z.object({
  info: z.object({ version: z.string(), description: z.string() }),
  servers: z.array(z.object({ url: z.string() })),
  tags: z.array(z.object({ name: z.string(), description: z.string() })),
  paths: z.record(z.string(), z.record(z.string(), operationSchema)),
  components: z.object({ schemas: z.record(z.string(), jsonSchema).default({}) }),
  "x-errors": z.array(
    z.object({ code: z.string(), status: z.number(), message: z.string(), retry: z.string() }),
  ),
});
export type ApiDescription = z.output<typeof apiDescriptionSchema>;

export interface ApiField {
  readonly name: string;
  /** e.g. "whole number, 1 to 100". */
  readonly words: string;
  readonly required: boolean;
}

export interface ApiOperation {
  readonly id: string;
  readonly method: string;
  /** From the root. */
  readonly path: string;
  readonly summary: string;
  /** Who may ask. */
  readonly permission: string;
  readonly inAddress: readonly ApiField[];
  readonly inQuery: readonly ApiField[];
  /** Fields of a JSON body; null if it takes none. */
  readonly body: readonly ApiField[] | null;
  readonly answer: { readonly status: string; readonly words: string; readonly fields: readonly ApiField[] };
}

export interface ApiGroup {
  readonly name: string;
  /** For the address: "rounds-and-models". */
  readonly anchor: string;
  readonly words: string;
  readonly operations: readonly ApiOperation[];
}

/** Operations by subject, in the order of the description's tags. Subjects without operations are left out. */
export function apiGroups(description: ApiDescription): readonly ApiGroup[] {
  const { tags, paths } = description;
  const operations = Object.entries(paths).flatMap(([path, byMethod]) =>
    Object.entries(byMethod).map(([method, operation]) => ({
      tag: operation.tags[0] ?? "",
      operation: operationOf(description, method, path, operation),
    })),
  );
  const known = new Set(tags.map(({ name }) => name));
  const rest = operations.some(({ tag }) => !known.has(tag))
    ? [{ name: "Other", description: "What has no subject of its own." }]
    : [];
  return [...tags, ...rest]
    .map(({ name, description: words }) => ({
      name,
      anchor: name.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-"),
      words,
      operations: operations
        .filter(({ tag }) => tag === name || (name === "Other" && !known.has(tag)))
        .map(({ operation }) => operation),
    }))
    .filter((group) => group.operations.length > 0);
}

function operationOf(
  { servers, components }: ApiDescription,
  method: string,
  path: string,
  operation: z.output<typeof operationSchema>,
): ApiOperation {
  const base = (operation.servers ?? servers)[0]?.url ?? "/";
  const parameters = (place: string) =>
    operation.parameters
      .filter((parameter) => parameter.in === place)
      .map(({ name, schema, required = false }) => ({
        name,
        words: typeWords(schema, components.schemas),
        required,
      }));
  const body = operation.requestBody?.content?.["application/json"]?.schema;
  const [status, answer] = Object.entries(operation.responses).find(([code]) => code.startsWith("2")) ??
    Object.entries(operation.responses)[0] ?? ["200", { description: "" }];
  const [media, answered] = Object.entries(("content" in answer && answer.content) || {})[0] ?? [];
  const answerSchema = answered?.schema;
  return {
    id: operation.operationId,
    method: method.toUpperCase(),
    path: base === "/" ? path : base + path,
    summary: operation.summary,
    permission: operation.description,
    inAddress: parameters("path"),
    inQuery: parameters("query"),
    body: body === undefined ? null : fieldsOf(body, components.schemas),
    answer: {
      status,
      words: media === undefined || media === "application/json" ? "JSON" : media,
      fields: answerSchema === undefined ? [] : fieldsOf(answerSchema, components.schemas),
    },
  };
}

type Schemas = ApiDescription["components"]["schemas"];

/** The fields of an object; none of anything else. References are followed once. */
function fieldsOf(schema: JsonSchema, schemas: Schemas): readonly ApiField[] {
  const { properties = {}, required = [] } = resolved(schema, schemas);
  return Object.entries(properties).map(([name, inner]) => ({
    name,
    words: typeWords(inner, schemas),
    required: required.includes(name),
  }));
}

function resolved(schema: JsonSchema, schemas: Schemas): JsonSchema {
  const name = nameOf(schema);
  return name === null ? schema : (new Map(Object.entries(schemas)).get(name) ?? {});
}

function nameOf({ $ref }: JsonSchema): string | null {
  return $ref?.startsWith("#/components/schemas/") ? $ref.slice("#/components/schemas/".length) : null;
}

/** What a value is, in a few words. */
function typeWords(schema: JsonSchema, schemas: Schemas): string {
  const name = nameOf(schema);
  if (name !== null) return name;
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices !== undefined) {
    const words = choices.map((choice) => typeWords(choice, schemas));
    return words.length > 4 ? `one of ${words.length} shapes` : [...new Set(words)].join(" or ");
  }
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum !== undefined) return enumWords(schema.enum);
  const types = [schema.type ?? []].flat();
  if (types.length === 0) return "any value";
  return types.map((type) => oneTypeWords(type, schema, schemas)).join(" or ");
}

const NAMED_VALUES_MAX = 8;

function enumWords(values: readonly unknown[]): string {
  const named = values.slice(0, NAMED_VALUES_MAX).map((value) => String(value));
  const more = values.length - named.length;
  return more > 0 ? `${named.join(", ")}, and ${more} more` : named.join(", ");
}

function oneTypeWords(type: string, schema: JsonSchema, schemas: Schemas): string {
  switch (type) {
    case "integer":
      return `whole number${rangeWords(schema)}`;
    case "number":
      return `number${rangeWords(schema)}`;
    case "string":
      if (schema.format === "binary") return "bytes";
      return schema.format === "date-time" ? "time, ISO 8601" : "text";
    case "array":
      return schema.items === undefined ? "list" : `list of ${typeWords(schema.items, schemas)}`;
    case "boolean":
      return "true or false";
    default:
      return type;
  }
}

/** Bounds that say something: those of safe integers do not. */
function rangeWords({ minimum, maximum }: JsonSchema): string {
  const most = maximum === undefined || maximum >= Number.MAX_SAFE_INTEGER ? undefined : maximum;
  const least = minimum === undefined || minimum <= Number.MIN_SAFE_INTEGER ? undefined : minimum;
  const said = (bound: number) => (Number.isInteger(bound) ? formatCount(bound) : String(bound));
  if (least !== undefined && most !== undefined) return `, ${said(least)} to ${said(most)}`;
  if (least !== undefined) return `, at least ${said(least)}`;
  return most === undefined ? "" : `, at most ${said(most)}`;
}

/** Whether to ask again after an error, as the table of errors says it. */
export function retryWords(retry: string): string {
  if (retry === "never") return "no, change the request";
  return retry === "now" ? "yes, at once" : "yes, later";
}
