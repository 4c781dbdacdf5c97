import { z } from "zod";
import { utf8 } from "#shared/kernel/bytes.ts";

/*
 * Names and values as MLflow bounds them. Source: MLflow's `validation.py`: keys of 250 characters, params of 6,000, tags of
 * 8,000, and batches of 1,000 metrics, 100 params and 100 tags.
 */

export const TRACKING_LIMITS = {
  keyLengthMax: 250,
  paramLengthMax: 6_000,
  tagLengthMax: 8_000,
  nameLengthMax: 500,
  metricsMax: 1_000,
  paramsMax: 100,
  tagsMax: 100,
  entriesMax: 1_000,
  runsPerSearchMax: 50_000,
  itemsPerSearchMax: 1_000,
  pathLengthMax: 1_000,
  pathByteCountMax: 2_000,
} as const;

const KEY = /^[/\p{L}\p{N}_.\- :]+$/u;

/** A key that could also be the path of a file, so it does not climb. */
export const keySchema = z
  .string()
  .min(1)
  .max(TRACKING_LIMITS.keyLengthMax)
  .regex(KEY, "letters, digits, spaces and _ - . / : alone")
  .refine((key) => isPlainPath(key), "must read like a relative path, without . and .. as parts");

/** Whether it is a relative path that names what it says: no empty parts, no "." and no "..". */
export function isPlainPath(path: string): boolean {
  return path.split("/").every((part) => part !== "" && part !== "." && part !== "..");
}

export const paramValueSchema = z.string().max(TRACKING_LIMITS.paramLengthMax);
export const tagValueSchema = z.string().max(TRACKING_LIMITS.tagLengthMax);

/** Of an experiment, a run or a model. */
export const nameSchema = z
  .string()
  .max(TRACKING_LIMITS.nameLengthMax)
  .refine((name) => name.trim() !== "" && !/\p{Cc}/u.test(name), "must be one line that is not empty");

/** Of a registered model: it is a part of addresses such as models:/name@alias. */
export const modelNameSchema = nameSchema.refine(
  (name) => !/[/:.%"']/.test(name) && name !== "__proto__",
  "must not have any of / : . % and quotes",
);

const ALIAS = /^[\p{L}\p{N}_-]{1,255}$/u;
/** Not like a version, "v7", and not what MLflow reserves. */
export const aliasSchema = z
  .string()
  .regex(ALIAS, "letters, digits, hyphens and underscores, at most 255")
  .refine(
    (alias) => !/^v\d+$/i.test(alias) && alias.toLowerCase() !== "latest",
    'neither "latest" nor like "v7"',
  );

/** A path below the files of a run or a model. The first parts say whose it is. */
export const artifactPathSchema = z
  .string()
  .min(1)
  .max(TRACKING_LIMITS.pathLengthMax)
  // PostgreSQL's indexes hold keys of at most 2,704 bytes.
  .refine((path) => utf8(path).length <= TRACKING_LIMITS.pathByteCountMax, "at most 2,000 bytes")
  .refine(
    (path) => isPlainPath(path) && !/[\\\p{Cc}]/u.test(path) && !/^[A-Za-z]:|%/.test(path),
    "must be a relative path that does not climb",
  );
