/*
 * A device over several lives, each ended at one point of a round: what it was about to send, and what its memory held
 * by then. For edges that are killed and pages that are reloaded.
 */

export const SENDS = ["advertise", "share", "input", "confirm", "unmask"] as const;
export const HEARD = ["invite", "roster", "collect", "sets", "open", "outcome"] as const;
export const WRITES = ["mark", "used", "ballot", "revealed"] as const;

export interface SendLine {
  readonly at: "send";
  readonly type: string;
  /** runId, round and attempt for R0, otherwise the sid; "" outside a round. */
  readonly of: string;
  /** SHA-256 of what leaves. */
  readonly digest: string;
}
export interface InviteLine {
  readonly at: "invite";
  readonly runId: string;
  readonly round: number;
  readonly modelHash: string;
}

type Line = SendLine | InviteLine | { readonly at: "life" } | { readonly at: "died"; readonly point: string };

/** True if the write that guards this message was durable; null for a message without one. PROTOCOL.md section 6. */
export function isGuarded(
  { type, of }: Pick<SendLine, "type" | "of">,
  { runId, modelHash }: Pick<InviteLine, "runId" | "modelHash">,
  task: string,
  cell: (key: string) => string | undefined,
): boolean | null {
  switch (type) {
    case "advertise":
      return `${runId}.${cell(`mark/${runId}`)}` === of;
    case "input":
      return cell(`used/${modelHash}`) === runId && cell(`paid/${of}`) === task;
    case "confirm":
      return cell(`ballot/${of}`) !== undefined;
    case "unmask":
      return cell(`revealed/${modelHash}`) === of;
    default:
      return null;
  }
}

/** Over all lives: a session must belong to one of them, and repeated messages must have the same bytes. */
export function contradictions(ledger: readonly Line[]): string[] {
  const found: string[] = [];
  const digests = new Map<string, string>();
  const lifeOf = new Map<string, number>();
  let life = 0;
  for (const line of ledger) {
    if (line.at === "life") life += 1;
    if (line.at !== "send" || line.of === "" || line.type === "complaint") continue;
    const { type, of, digest } = line;
    const known = digests.get(`${type} ${of}`);
    if (known !== undefined && known !== digest) found.push(`another ${type} of ${of}`);
    digests.set(`${type} ${of}`, digest);
    const owner = lifeOf.get(of);
    if (owner !== undefined && owner !== life) found.push(`${type} of ${of} in a second life`);
    lifeOf.set(of, life);
  }
  return found;
}
