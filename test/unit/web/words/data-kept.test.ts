import { expect, test } from "vitest";
import { retentionTable } from "#coordinator/core/views/retention.ts";
import { dataOfWords, keptLead } from "#web/words/data-kept.ts";

test("the lead counts tables, folders, and those with anybody's data", () => {
  const rows = retentionTable({ endedRowsDays: 90, keptRounds: 0 }).filter(({ place }) =>
    ["event", "note", "spool", "log"].includes(place),
  );
  expect(keptLead(rows)).toBe(
    "2 tables and 2 folders and files. 2 of them have data of people, devices or participants.",
  );
  expect(dataOfWords("nobody")).toBe("nobody");
});
