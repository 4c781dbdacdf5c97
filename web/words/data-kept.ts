import type { DataOf, RetentionRow } from "#shared/protocol/governance.ts";

/* What the coordinator keeps, for its admins. */

const OF: Readonly<Record<DataOf, string>> = {
  people: "people with an account",
  devices: "devices, by their keys",
  sites: "sites",
  participants: "participants, masked or sealed",
  "held-out": "whoever the held-out rows are about",
  nobody: "nobody",
};

/** Whose data a row of the retention table is about. */
export function dataOfWords(of: DataOf): string {
  return OF[of];
}

/** "41 tables and 8 folders and files. Data of people is in 12 of them." */
export function keptLead(rows: readonly RetentionRow[]): string {
  const tables = rows.filter(({ kind }) => kind === "table").length;
  const about = rows.filter(({ of }) => of !== "nobody").length;
  return `${tables} tables and ${rows.length - tables} folders and files. ${about} of them have data of people, devices or participants.`;
}

export const DATA_NOTE =
  "What is kept, and how long. Each deletion leaves an entry in the audit log with how many, and no name.";

export const RECORD_WORDS =
  "In the form of article 30 of the GDPR, from this coordinator's own facts. What only you know is named as a blank, with the option of the coordinator that fills it. It is no legal advice.";
