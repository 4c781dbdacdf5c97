import { z } from "zod";
import { base64ToBytes, bytesToBase64 } from "../kernel/bytes.ts";
import { err, ok, type Result } from "../kernel/result.ts";
import { hashHexSchema, logOriginSchema, logSizeSchema } from "../protocol/ids.ts";
import type { LogProofMessage } from "../protocol/messages/log-proof.ts";
import type { AgreedConfig } from "../task/config.ts";
import type { SeenLog } from "./seen-log.ts";

/*
 * A file of what a device found wrong with a public log: the checkpoint that it saw before, if any, and what it was shown then,
 * if anything. The log has signed the checkpoints alone, so `checkLogEvidence` says what the file shows to others. It names no
 * device.
 */

const bytes = z.string().transform((text, context) => {
  const decoded = base64ToBytes(text);
  if (decoded !== undefined) return decoded;
  context.addIssue({ code: "custom", message: "base64" });
  return z.NEVER;
});
const leaves = z.array(z.strictObject({ index: logSizeSchema, leaf: bytes, path: z.array(bytes) }));

export const logEvidenceSchema = z.strictObject({
  type: z.literal("chorus-log-evidence"),
  version: z.literal(1),
  /** Unix milliseconds, by the device's clock. */
  at: z.int(),
  /** What the device said. */
  finding: z.string(),
  origin: logOriginSchema,
  /** The first key, as agreed to. */
  logKey: hashHexSchema,
  /** What it saw before; null on its first visit. */
  seen: z
    .strictObject({
      size: logSizeSchema,
      root: hashHexSchema,
      key: hashHexSchema,
      checkpoint: z.string(),
    })
    .nullable(),
  /** The proof that it was shown; null if there was none. */
  shown: z
    .strictObject({
      from: logSizeSchema,
      checkpoint: z.string(),
      consistency: z.array(bytes),
      leaves,
      rotations: leaves,
    })
    .nullable(),
});
export type LogEvidence = z.output<typeof logEvidenceSchema>;

interface Finding {
  readonly config: AgreedConfig;
  readonly seen: SeenLog | null;
  readonly shown: LogProofMessage | undefined;
  /** Unix milliseconds. */
  readonly at: number;
  readonly finding: string;
}

/** The text of the file. */
export function logEvidence({ config, seen, shown, at, finding }: Finding): string {
  const { logOrigin: origin = "", logKey } = config;
  const head = { type: "chorus-log-evidence", version: 1, at, finding, origin, logKey } as const;
  const evidence = Object.assign(head, { seen, shown: shown === undefined ? null : inBase64(shown) });
  return `${JSON.stringify(evidence, null, 2)}\n`;
}

function inBase64({ from, checkpoint, consistency, leaves: own, rotations }: LogProofMessage) {
  const proved = ({ index, leaf, path }: LogProofMessage["leaves"][number]) => {
    return { index, leaf: bytesToBase64(leaf), path: path.map(bytesToBase64) };
  };
  const steps = consistency.map(bytesToBase64);
  return {
    from,
    checkpoint,
    consistency: steps,
    leaves: own.map(proved),
    rotations: rotations.map(proved),
  };
}

/** Reads a file that anyone may have made. */
export function parseLogEvidence(text: string): Result<LogEvidence, "not-evidence"> {
  try {
    const read = logEvidenceSchema.safeParse(JSON.parse(text));
    return read.success ? ok(read.data) : err("not-evidence");
  } catch {
    return err("not-evidence");
  }
}
