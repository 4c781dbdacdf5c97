import { expect, test } from "vitest";
import {
  processingRecord,
  processingRecordMarkdown,
  type RecordSource,
} from "#coordinator/core/views/processing-record.ts";
import { retentionTable } from "#coordinator/core/views/retention.ts";
import type { TaskView } from "#shared/protocol/api.ts";
import { processingRecordSchema } from "#shared/protocol/governance.ts";
import { smallTask } from "#test/kit/worlds/small-task.ts";

const task = { ...smallTask(3), purpose: "To see | what\n# happens" };
const NOBODY = { name: null, contact: null, protectionContact: null, legalGround: null };
const source = (changes: Partial<RecordSource> = {}): RecordSource => ({
  at: 1_800_000_000_000,
  codeVersion: "1.2.3",
  address: "https://chorus.example",
  operator: NOBODY,
  tasks: [{ task, heldOut: null } as unknown as TaskView],
  retention: retentionTable({ endedRowsDays: 90, keptRounds: 0 }),
  database: "embedded",
  hasOpenId: false,
  keptRounds: 0,
  ...changes,
});

test("[A84] a record names what only the operator knows as blanks, and with which option they are filled", () => {
  const record = processingRecordSchema.parse(processingRecord(source()));
  const settings = record.blanks.flatMap(({ setting }) => (setting === null ? [] : [setting]));
  expect(settings).toEqual(["--operator", "--operator-contact", "--protection-contact", "--legal-ground"]);
  const filled = processingRecord(
    source({
      operator: {
        name: "Clinic North",
        contact: "Road 1",
        protectionContact: "dpo@clinic.example",
        legalGround: "Consent",
      },
    }),
  );
  expect(filled.blanks.filter(({ setting }) => setting !== null)).toEqual([]);
  expect(processingRecordMarkdown(record)).toContain("- Name: **to be filled in**");
  expect(processingRecordMarkdown(filled)).toContain("- Name: Clinic North");
});

test("[A84] a record says what holds here, by the settings, and every place that it names is in the table", () => {
  const plain = processingRecord(source({ address: "http://localhost:3000" }));
  expect(plain.measures.join(" ")).toContain("plain HTTP");
  expect(processingRecord(source()).measures.join(" ")).toContain("over TLS");
  const keeping = processingRecord(
    source({ keptRounds: 2, retention: retentionTable({ endedRowsDays: 7, keptRounds: 2 }) }),
  );
  expect(keeping.activities[0]?.data.join(" ")).toContain("newest 2 committed rounds");
  expect(keeping.retention.find(({ place }) => place === "spool")?.kept).toContain("newest 2 committed");
  expect(keeping.retention.find(({ place }) => place === "access_row")?.kept).toContain("for 7 days");
  expect(processingRecord(source({ hasOpenId: true })).activities[1]?.recipients.join(" ")).toContain(
    "OpenID",
  );
  const places = new Set(plain.retention.map(({ place }) => place));
  for (const activity of plain.activities)
    for (const place of activity.places) expect(places).toContain(place);
});

test("[A84] texts of a task stay on their line of the Markdown", () => {
  const markdown = processingRecordMarkdown(processingRecord(source()));
  expect(markdown).toContain("- Purpose: To see \\| what \\# happens");
  expect(markdown).not.toMatch(/^# happens/m);
});
