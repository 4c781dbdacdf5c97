import { z } from "zod";

/** Printable ASCII except the backslash, which browsers read as a slash. */
const PATH = /^\/[!-[\]-~]*$/;
/** An empty segment: at the start browsers read a host after it. */
const EMPTY_SEGMENT = /^[^?#]*\/\//;

/** A path on this host, with its query and fragment: where one lands after signing in. Never another host (X20). */
export const localPathSchema = z
  .string()
  .max(2_000)
  .refine(
    (path) => PATH.test(path) && !EMPTY_SEGMENT.test(path),
    "must be a path on this host, such as /runs",
  );
