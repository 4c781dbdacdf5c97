import type { Authority } from "./agreed-config.ts";

/*
 * A device's record of what it agreed to, and when. It is made and kept on the device, and nothing of it is sent: the
 * coordinator does not know which device agreed to what until it checks in. Rule A70.
 */

/** The whole version of a task. Receipts name these fields, whatever else an earlier or later version has. */
export interface AgreedTask {
  readonly slug: string;
  readonly version: number;
  readonly title?: string | undefined;
  readonly invitation: string;
}

/** One act. */
export interface ConsentEntry {
  readonly act: "agreed" | "withdrawn";
  /** RFC 3339, by the device's clock. */
  readonly at: string;
  /** Origin of the coordinator. */
  readonly coordinator: string;
  readonly taskHash: string;
  /** The version that it is about. */
  readonly task: AgreedTask;
  /** The coordinator's keys and code at that time. */
  readonly authority: Authority;
  /** What was shown, as text. Null for a withdrawal, and for an agreement of which only the version was kept. */
  readonly words: string | null;
}

/** A consent receipt for machines. @param entries  Oldest first. */
export function consentReceipt(entries: readonly ConsentEntry[]) {
  return {
    format: "chorus-consents/1",
    acts: entries.map(({ act, at, coordinator, taskHash, task, authority, words }) => ({
      act,
      at,
      coordinator,
      task: task.slug,
      version: task.version,
      taskHash,
      authority,
      words,
      agreedTo: task,
    })),
  };
}

/** The receipt as the text of a file. */
export function consentReceiptJson(entries: readonly ConsentEntry[]): string {
  return `${JSON.stringify(consentReceipt(entries), null, 2)}\n`;
}

/** The same for people. */
export function consentReceiptText(entries: readonly ConsentEntry[]): string {
  const title = "What this device agreed to. The device has written this itself, and nobody has signed it.";
  return `${[title, ...entries.map(entryText)].join("\n\n---\n\n")}\n`;
}

function entryText({ act, at, coordinator, taskHash, task, authority, words }: ConsentEntry): string {
  const done = act === "agreed" ? "Agreed to" : "Withdrew from";
  const facts = [
    `${done} version ${task.version} of ${task.slug}, ${at}`,
    `Task: ${task.title ?? task.invitation}`,
    `Coordinator: ${coordinator}, project ${authority.projectId}`,
    `Hash of the task: ${taskHash}`,
    `Keys of the coordinator: issuer ${authority.issuerKey}, log ${authority.logKey}`,
    ...(authority.logOrigin === undefined ? [] : [`Its public log: ${authority.logOrigin}`]),
    `Code of the coordinator: ${authority.codeVersion}`,
  ].join("\n");
  if (act === "withdrawn") return facts;
  return words === null
    ? `${facts}\n\nAn earlier version of Chorus kept no words of this agreement.`
    : `${facts}\n\nThe words that were shown:\n\n${words}`;
}
