import { utf8 } from "#shared/kernel/bytes.ts";
import { ok } from "#shared/kernel/result.ts";
import { listSchema, type Status } from "#shared/protocol/api.ts";
import { type Operator, processingRecordSchema, retentionRowSchema } from "#shared/protocol/governance.ts";
import type { Tasks } from "../../../core/coordinator.ts";
import { everyItem } from "../../../core/ports/every-item.ts";
import { ALL_READABLE } from "../../../core/ports/store.ts";
import { processingRecord, processingRecordMarkdown } from "../../../core/views/processing-record.ts";
import { type RetentionChoices, retentionTable } from "../../../core/views/retention.ts";
import { API, named } from "../dialect.ts";
import { type Endpoint, jsonEndpoint, rawEndpoint } from "../endpoint.ts";
import { answerFile, FILE_BYTES } from "./file-answer.ts";
import { whole } from "./people.ts";

/** What the operator chose and said, as far as records of processing need it. */
export interface Deployment extends RetentionChoices {
  readonly operator: Operator;
  readonly hasOpenId: boolean;
}

export interface GovernancePorts {
  readonly deployment: Deployment;
  readonly tasks: Pick<Tasks, "listTasks">;
  readonly status: () => Status;
  readonly nowUnixMs: () => number;
}

const MARKDOWN = "text/markdown; charset=utf-8";

/** How long data is kept, and the record of processing that is made from it. */
export function governanceEndpoints(ports: GovernancePorts): readonly Endpoint[] {
  const made = async () => {
    const { deployment, tasks, status, nowUnixMs } = ports;
    const { codeVersion, joinBaseUrl: address, database } = status();
    return processingRecord({
      ...deployment,
      codeVersion,
      address,
      database,
      at: nowUnixMs(),
      tasks: await everyItem((page) => tasks.listTasks({ ...ALL_READABLE, archived: true }, page)),
      retention: retentionTable(deployment),
    });
  };
  return [
    jsonEndpoint({
      method: "get",
      path: "/api/v1/retention",
      summary: "What every table and folder holds, of whom, and how long",
      dialect: API,
      permission: "operations.read",
      answer: listSchema(named(retentionRowSchema, "Retention")),
      handle: async () => whole(retentionTable(ports.deployment)),
    }),
    jsonEndpoint({
      method: "get",
      path: "/api/v1/processing-record",
      summary:
        "A record of processing in the form of article 30 of the GDPR, from this coordinator's own facts",
      dialect: API,
      permission: "operations.read",
      answer: named(processingRecordSchema, "ProcessingRecord"),
      handle: made,
    }),
    rawEndpoint({
      method: "get",
      path: "/api/v1/processing-record/markdown",
      summary: "The same record as Markdown",
      dialect: API,
      permission: "operations.read",
      responses: { 200: { description: "The record", content: { "text/markdown": FILE_BYTES } } },
      handle: (_params, asked) =>
        answerFile(asked, async () => {
          const bytes = utf8(processingRecordMarkdown(await made()));
          return ok({ fileName: "record-of-processing.md", mediaType: MARKDOWN, bytes });
        }),
    }),
  ];
}
