export interface ContradictionWords {
  readonly title: string;
  /** What the device found. */
  readonly finding: string;
  readonly keep: string;
  readonly decide: string;
  /** Name of the file with the evidence. */
  readonly fileName: string;
}

/**
 * What a page says while its device sends nothing, because the coordinator's public log is not what it was.
 *
 * @param file  The evidence that the device keeps.
 */
export function contradictionWords(file: string): ContradictionWords {
  const { finding, at } = readHead(file);
  const day = at === null ? "" : `-${new Date(at).toISOString().slice(0, 10)}`;
  return {
    title: "Log contradicted",
    finding,
    keep: "Keep this file. It holds what this browser saw before and what it was shown now. Whoever checks it sees who signed that, and can ask the log for the way from one to the other. It does not name you.",
    decide:
      "Ask whoever runs the coordinator first. If you go on, this browser takes the log as it is shown next, and forgets what it saw before.",
    fileName: `chorus-log-evidence${day}.json`,
  };
}

/** The device wrote the file, but storage may have damaged it. */
function readHead(file: string): { readonly finding: string; readonly at: number | null } {
  try {
    const { finding, at } = JSON.parse(file) as { readonly finding?: unknown; readonly at?: unknown };
    return {
      finding: typeof finding === "string" ? finding : UNREADABLE,
      at: typeof at === "number" && Math.abs(at) < 8e15 ? at : null,
    };
  } catch {
    return { finding: UNREADABLE, at: null };
  }
}

const UNREADABLE = "The public log contradicts what this browser saw of it before. Sending is off.";
