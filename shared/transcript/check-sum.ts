import type { Mask } from "../crypto/mask-stream.ts";
import type { Position } from "../kernel/places.ts";
import { ok } from "../kernel/result.ts";
import { type DecodedSum, decodeSum } from "../vector/decode.ts";
import type { VectorLayout } from "../vector/layout.ts";
import { evidenceLength, ringWords, segmentAt } from "../vector/publish.ts";
import type { Audit } from "./audit.ts";
import type { CheckedSession } from "./check-session.ts";
import { openEvidence } from "./evidence.ts";
import { type Checked, fault, withheld } from "./fault.ts";
import { openSession } from "./open-session.ts";
import { firstDifference, type InputChunk, remakeChunk } from "./spot-check.ts";

export interface SumUnderAudit {
  readonly layout: VectorLayout;
  readonly session: CheckedSession;
  readonly shard: number;
  /** Published numbers of this session. */
  readonly published: Int32Array;
  readonly indexes: readonly number[];
}

/** Opens one session's sum again, recomputes the drawn chunks from the masked inputs, and reads the segments. */
export async function checkSum(audit: Audit, sum: SumUnderAudit): Promise<Checked<DecodedSum>> {
  const { primitives, source, auditorKey, report } = audit;
  const { layout, session, shard, published } = sum;
  const sealed = await source.openings(shard);
  if (sealed === null) return withheld("The list of opening shares");
  const opened = await openSession(primitives, session, auditorKey, sealed);
  if (!opened.ok) return opened;
  const { masks, openingCount, notes } = opened.value;
  for (const note of notes) report(`Note: ${note}`);
  report(`${openingCount} devices opened the sum; ${masks.length} masks rebuilt, all as announced.`);

  const box = await source.evidence(shard);
  if (box === null) return withheld(`The evidence of group ${shard}`);
  const committed = {
    sid: session.roster.sid,
    length: evidenceLength(layout),
    commitment: session.evidenceHash,
  };
  const evidence = await openEvidence(primitives, auditorKey, committed, box);
  if (!evidence.ok)
    return evidence.error === "sealed"
      ? fault("EVIDENCE", "The evidence does not open with this key, or belongs to another session.")
      : fault("EVIDENCE", "The evidence is not what the transcript commits to.");
  const ring = ringWords(layout, published, evidence.value.words);
  if (!ring.ok)
    return fault(
      "SUM",
      `Number ${ring.error.index} of the published sum is ${ring.error.value}, out of the range of the 16-bit ring.`,
    );
  const words = ring.value;
  const right = await checkChunks(audit, sum, masks, words);
  for (const { key } of masks) key.fill(0);
  if (!right.ok) return right;
  const decoded = decodeSum(layout, words, session.sets.u3.positions.length);
  if (decoded.ok) return decoded;
  const where = decoded.error.type === "sentinel" ? "A check number" : `A number of ${decoded.error.segment}`;
  return fault(
    "RANGE",
    `${where} of the sum is ${decoded.error.value}; ${session.sets.u3.positions.length} inputs cannot add up to that.`,
  );
}

/** Recomputes the drawn chunks from the masked inputs and compares them with the published words. */
async function checkChunks(
  { primitives, source }: Audit,
  { layout, session, shard, indexes }: SumUnderAudit,
  masks: readonly Mask[],
  words: Uint32Array,
): Promise<Checked<void>> {
  const fetch = async (position: Position, index: number): Promise<Checked<InputChunk>> => {
    const chunk = await source.chunk(shard, position, index);
    return chunk === null
      ? withheld(`Chunk ${index} of the masked input at position ${position}`)
      : ok(chunk);
  };
  for (const index of indexes) {
    const remade = await remakeChunk(primitives, layout, session, masks, index, fetch);
    if (!remade.ok) return remade;
    const different = firstDifference(words, remade.value, index);
    if (different !== null) {
      const { word, said, remade: made } = different;
      const { name, publish } = segmentAt(layout, word);
      if (publish === "evidence")
        return fault("EVIDENCE", `The ${name} of the round do not follow from the inputs.`);
      return fault(
        "SUM",
        `The sum is wrong in chunk ${index}, word ${word}: published ${said}, but the inputs give ${made}.`,
      );
    }
  }
  return ok(undefined);
}
