import type { SampleView } from "#client/index.ts";
import type { Draft } from "#shared/sample/draft.ts";
import { withPictures, withTable } from "#shared/sample/draft-sample.ts";

/** The draft with what a sample proposes so far. */
export function withSample(
  draft: Draft | null,
  { table, proposal, pictures, name, byteCount }: SampleView,
): Draft | null {
  if (table !== null && proposal !== null)
    return withTable(draft, { profile: table, proposal }, { name, byteCount });
  return pictures === null ? draft : withPictures(draft, pictures, { name, byteCount });
}
