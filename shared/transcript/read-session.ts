import type { Audit } from "./audit.ts";
import { type CheckedSession, checkSession } from "./check-session.ts";
import { checkTask } from "./check-task.ts";
import { type Checked, fault, withheld } from "./fault.ts";
import {
  TRANSCRIPT_VERSION,
  transcriptDigest,
  transcriptFromBytes,
  transcriptVersion,
} from "./session-transcript.ts";

/** The part of an audit that reading a transcript needs. */
interface SessionAudit extends Pick<Audit, "primitives" | "claims" | "report" | "pins"> {
  readonly source: Pick<Audit["source"], "transcript">;
}

/**
 * Reads the transcript of one shard and checks its signatures, task and rules.
 *
 * @param place  Index of the shard in the round's record, from 0.
 */
export async function readSession(
  { primitives, claims, source, report, pins }: SessionAudit,
  place: number,
): Promise<Checked<CheckedSession>> {
  const shard = claims.shards[place] as number;
  const bytes = await source.transcript(shard);
  if (bytes === null) {
    return place === 0
      ? fault("NOT_KEPT", "The transcript of this round is no longer kept.")
      : withheld(`The transcript of group ${shard}`);
  }
  const digest = await transcriptDigest(primitives, bytes);
  const named = claims.sessionHashes[place];
  if (digest !== named)
    return fault("TRANSCRIPT_HASH", `The transcript of shard ${shard} has the hash ${digest}, not ${named}.`);
  const transcript = transcriptFromBytes(bytes);
  const version = transcript.ok ? null : transcriptVersion(bytes);
  if (version !== null && version < TRANSCRIPT_VERSION)
    return fault(
      "OLD_VERSION",
      `An earlier version of Chorus made this round (transcript version ${version}); check it with that version.`,
    );
  if (!transcript.ok || transcript.value.shard !== shard)
    return fault("TRANSCRIPT", `What is served as the transcript of shard ${shard} is not a valid one.`);
  const fits = await checkTask(primitives, claims, transcript.value, pins);
  if (!fits.ok) return fits;
  if (place === 0) for (const line of fits.value) report(line);
  const session = await checkSession(primitives, transcript.value, claims);
  if (!session.ok) return session;
  const { roster, sets, signatureCount } = session.value;
  const name = claims.shards.length === 1 ? "" : `Shard ${shard}: `;
  report(
    `${name}${signatureCount} signatures are valid: ${roster.members.length} devices, ${sets.u3.positions.length} inputs in the sum, ${roster.thresholds.q} needed.`,
  );
  return session;
}
