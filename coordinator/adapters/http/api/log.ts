import { z } from "@hono/zod-openapi";
import { listSchema } from "#shared/protocol/api.ts";
import { hashHexSchema, roundIdSchema, runIdSchema } from "#shared/protocol/ids.ts";
import { logEntrySchema, logStateSchema, logViewSchema } from "#shared/protocol/log-api.ts";
import { logReaderOf } from "../../../core/access/permissions.ts";
import type { AuditLog } from "../../../core/coordinator.ts";
import { API, named } from "../dialect.ts";
import { type Endpoint, jsonEndpoint } from "../endpoint.ts";
import { problem } from "../problem.ts";
import { mutable, pageFields } from "./answers.ts";

/** Looking through thousands of entries, in units of a rate. */
const SEARCH_COST = 10;
const NO_LOG =
  "This coordinator has signed no entry of a log yet. Try again in a few seconds; if it stays so, whoever runs it sees why under /readyz.";

const instant = z.iso.datetime().transform((text) => Date.parse(text));
/** One line that can stand in an entry. An address whose text is not Unicode stays encoded, and no entry has that. */
const line = (lengthMax: number) =>
  z
    .string()
    .max(lengthMax)
    .regex(/^(?!.*%[0-9a-f]{2})[^\p{Cc}\p{Cs}\ufffd]*$/iu, "must be one line of text");
const query = z.strictObject({
  ...pageFields,
  cursor: z
    .string()
    .regex(/^\d{1,15}$/, "must be a cursor from a list")
    .optional(),
  text: line(200).optional(),
  kind: line(64).optional(),
  run: runIdSchema.optional(),
  round: roundIdSchema.optional(),
  model: hashHexSchema.optional(),
  actor: line(80).optional(),
  from: instant.optional(),
  to: instant.optional(),
});

/** What the public log is, and which of its entries fit a search. The log itself is under /log. */
export function logEndpoints({ auditLog }: { readonly auditLog: AuditLog }): readonly Endpoint[] {
  return [
    jsonEndpoint({
      method: "get",
      path: "/api/v1/log",
      summary: "The public log's origin and key, its witnesses, and where its key was replaced",
      dialect: API,
      permission: "public",
      answer: named(logViewSchema, "Log"),
      handle: async () => {
        const view = await auditLog.logView();
        if (view === null) throw problem("NOT_FOUND", NO_LOG);
        return view;
      },
    }),
    jsonEndpoint({
      method: "get",
      path: "/api/v1/log/entries",
      summary:
        "Where the entries stand that fit a search, newest first; a page may be short or empty and go on",
      dialect: API,
      permission: "runs.read",
      query,
      answer: listSchema(named(logEntrySchema, "LogEntry")),
      cost: () => SEARCH_COST,
      handle: async ({ query: { limit, cursor, ...search }, principal }) =>
        mutable(await auditLog.listEntries(search, { limit, cursor }, logReaderOf(principal))),
    }),
    jsonEndpoint({
      method: "get",
      path: "/api/v1/log/state",
      summary: "Whether the log signs, how much it has signed and when, and why not if it does not",
      dialect: API,
      permission: "runs.read",
      answer: named(logStateSchema, "LogState"),
      handle: async () => auditLog.logState(),
    }),
  ];
}
