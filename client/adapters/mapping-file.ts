import { readFile, stat } from "node:fs/promises";
import { type Mapping, mappingSchema } from "#shared/data/match/mapping.ts";
import { err, ok, type Result } from "#shared/kernel/result.ts";

const BYTES_MAX = 4_000_000;

/** Reads the mapping that an edge's owner gives; null if they give none. Error: a sentence for them. */
export async function readMapping(path: string | undefined): Promise<Result<Mapping | null, string>> {
  if (path === undefined) return ok(null);
  try {
    if ((await stat(path)).size > BYTES_MAX) return err(`The mapping ${path} is larger than 4 MB.`);
    const parsed = mappingSchema.safeParse(JSON.parse(await readFile(path, "utf8")));
    if (parsed.success) return ok(parsed.data);
    const [issue] = parsed.error.issues;
    const place = issue === undefined || issue.path.length === 0 ? "" : ` at ${issue.path.join(".")}`;
    return err(
      `The mapping ${path} is wrong${place}: ${issue?.message ?? "it has another form"}. --map prints one.`,
    );
  } catch (fault) {
    const reason = fault instanceof Error ? fault.message : String(fault);
    return err(`The mapping ${path} cannot be read: ${reason.slice(0, 200)}. --map prints one.`);
  }
}
