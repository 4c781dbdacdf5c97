import type { PromotionRules } from "../task/gates/index.ts";
import { pointWords } from "../task/operating-point.ts";
import type { ProjectEvent } from "./log.ts";

/*
 * What the log of a project says of an act, in a sentence. Pages show it before one acts, so it is made from the event that
 * will be written.
 */

export function projectSentence(event: ProjectEvent): string {
  const { actor, slug } = event;
  switch (event.type) {
    case "task-created":
      return event.takesUp === true
        ? `${actor} published version ${event.version} of ${slug}, which takes the task up again.`
        : `${actor} published version ${event.version} of ${slug}.`;
    case "task-settings-changed":
      return `${actor} ${settingsClause(event)}.`;
    case "held-out-set": {
      const { rowCount, hash } = event.set;
      const rows = `${shortHash(hash)}, ${counted(rowCount, "row")}`;
      return event.replaces === null
        ? `${actor} set held-out rows for ${slug}: ${rows}.`
        : `${actor} set other held-out rows for ${slug}: ${rows}, in place of ${shortHash(event.replaces)}.`;
    }
    case "held-out-removed":
      return `${actor} took the held-out rows ${shortHash(event.hash)} from ${slug}. Devices alone judge its models.`;
    case "task-archived":
      return `${actor} archived ${slug} at version ${event.version}.${runsSentence(event)}`;
    case "transcripts-deleted":
      return `What was kept of ${counted(event.count, "session")} of ${slug} for an auditor was deleted, because newer rounds are kept or nothing is kept any more.`;
  }
}

/** What becomes of the runs, as one or two sentences after a space; empty if there are none. */
function runsSentence({ activeRun, queuedRuns }: Extract<ProjectEvent, { type: "task-archived" }>): string {
  const parts: string[] = [];
  if (activeRun !== null) {
    const { number, round } = activeRun;
    parts.push(` Run ${number} ends ${round === null ? "at once" : `after round ${round}`}.`);
  }
  if (queuedRuns > 0)
    parts.push(` ${counted(queuedRuns, "queued run")} ${queuedRuns === 1 ? "is" : "are"} cancelled.`);
  return parts.join("");
}

/** "opened readmission to anyone with the address and changed its heading" */
function settingsClause({
  slug,
  changes: { joining, invitation, promotion, operatingPoint },
}: Extract<ProjectEvent, { type: "task-settings-changed" }>): string {
  const clauses: string[] = [];
  // The first clause names the task.
  const ofTask = (what: string) => (clauses.length === 0 ? `the ${what} of ${slug}` : `its ${what}`);
  if (joining === "public") clauses.push(`opened ${slug} to anyone with the address`);
  if (joining === "invitation") clauses.push(`closed ${slug} to all but those invited`);
  if (invitation !== undefined) clauses.push(`changed ${ofTask("heading")}`);
  if (operatingPoint !== undefined)
    clauses.push(`changed ${ofTask("costs of errors")}: ${pointWords(operatingPoint)}`);
  if (promotion !== undefined) clauses.push(`changed ${ofTask("gates")}: ${gatesWords(promotion)}`);
  return clauses.join(" and ");
}

/** Gates as a setting: "2, and a version that passes is put in use by itself". */
export function gatesWords(promotion: PromotionRules | null): string {
  if (promotion === null || promotion.gates.length === 0) return "none";
  const count = String(promotion.gates.length);
  return promotion.promoteByItself ? `${count}, and a version that passes is put in use by itself` : count;
}

/** The first 12 of a hash's digits, in groups of four, as people compare them. */
function shortHash(hash: string): string {
  return (hash.slice(0, 12).match(/.{4}/g) ?? []).join(" ");
}

function counted(count: number, one: string): string {
  return `${count.toLocaleString("en")} ${one}${count === 1 ? "" : "s"}`;
}
