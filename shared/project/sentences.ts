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
  changes: { joining, invitation },
}: Extract<ProjectEvent, { type: "task-settings-changed" }>): string {
  const joins =
    joining === "public"
      ? `opened ${slug} to anyone with the address`
      : `closed ${slug} to all but those invited`;
  if (joining === undefined) return `changed the heading of ${slug}`;
  return invitation === undefined ? joins : `${joins} and changed its heading`;
}

/** The first 12 of a hash's digits, in groups of four, as people compare them. */
function shortHash(hash: string): string {
  return (hash.slice(0, 12).match(/.{4}/g) ?? []).join(" ");
}

function counted(count: number, one: string): string {
  return `${count.toLocaleString("en")} ${one}${count === 1 ? "" : "s"}`;
}
