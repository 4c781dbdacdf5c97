import { z } from "zod";
import { LIMITS } from "../protocol/limits.ts";

/** One sentence for people. */
export const sentenceSchema = z.string().min(1).max(LIMITS.sentenceLengthMax);

/** A name for people, for a heading or a line of a list. */
export const titleSchema = z.string().min(1).max(80);

/** A unit as it stands behind a number, e.g. "years" or "dollars an hour". */
export const unitSchema = z.string().min(1).max(40);
