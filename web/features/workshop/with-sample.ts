import type { SampleView } from "#client/index.ts";
import type { Draft } from "#shared/sample/draft.ts";
import {
  begunAnew,
  type KindClash,
  kindClash,
  withPictures,
  withTable,
} from "#shared/sample/draft-sample.ts";

/** The draft with what a sample proposes so far; as it was if the sample is of another kind. */
export function withSample(draft: Draft | null, sample: SampleView): Draft | null {
  const { table, proposal, pictures, name, byteCount } = sample;
  if (clashOf(draft, sample) !== null) return draft;
  if (table !== null && proposal !== null)
    return withTable(draft, { profile: table, proposal }, { name, byteCount });
  return pictures === null ? draft : withPictures(draft, pictures, { name, byteCount });
}

export function clashOf(draft: Draft | null, sample: SampleView | null): KindClash | null {
  return sample === null ? null : kindClash(draft, sample.proposal, sample.pictures);
}

/** A new draft about the sample's kind of rows, with the words and rules of the one before. */
export function anewWithSample(draft: Draft, sample: SampleView): Draft {
  const begun = withSample(null, sample);
  return begun === null ? draft : begunAnew(draft, begun);
}
