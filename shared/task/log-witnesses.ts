import { z } from "zod";

/** NAME+KEYID+KEY of a witness, as far as a pattern tells. */
export const WITNESS_KEY_PATTERN = /^[!-*,-~]{1,128}\+[0-9a-f]{8}\+[A-Za-z0-9+/=]{40,60}$/;

/**
 * Witnesses of the public log, which sign only what extends what they signed before. A device takes part only if enough of
 * them have signed the checkpoint that it is shown (A44), so that no log can be split for a device on its first visit.
 */
export const logWitnessesSchema = z
  .strictObject({
    /** NAME+KEYID+KEY of each, as a witness prints it (c2sp.org/tlog-cosignature, key type 4). */
    keys: z.array(z.string().regex(WITNESS_KEY_PATTERN, "NAME+KEYID+KEY of a witness")).min(1).max(16),
    /** How many of them must have signed. */
    needed: z.int().min(1).max(16),
  })
  .refine(({ keys, needed }) => needed <= new Set(keys).size, {
    path: ["needed"],
    message: "more cosignatures than different witnesses",
  });
