import type { SampleView } from "#client/index.ts";
import { some } from "#shared/data/words.ts";
import type { KindClash } from "#shared/sample/draft-sample.ts";
import type { PicturesProfile } from "#shared/sample/pictures-profile.ts";
import { formatCount, formatPercent, formatSeconds, plural } from "./format.ts";

/* Words for the sample of the workshop. Rows read = rows taken + rows left out. */

/** "1,204 rows read", "1,200 taken", "4 left out". */
export function sampleCounts({ table, pictures }: SampleView): string[] {
  if (table !== null) {
    const read = table.rows + table.otherWidth;
    const counts = [`${plural(read, "row")} read`, `${formatCount(table.rows)} taken`];
    return table.otherWidth === 0 ? counts : [...counts, `${formatCount(table.otherWidth)} left out`];
  }
  if (pictures !== null) {
    const taken = pictures.classes.reduce((sum, { count }) => sum + count, 0);
    const counts = [plural(taken, "picture"), `in ${plural(pictures.classes.length, "class folder")}`];
    return pictures.withoutClass === 0
      ? counts
      : [...counts, `${formatCount(pictures.withoutClass)} in no folder, left out`];
  }
  return [];
}

/** What is wrong with the quotes of a sample: the first as the title, the others below. */
export function quotesWords({ problems, quoteFaultCount }: SampleView): {
  readonly title: string;
  readonly sentences: readonly string[];
} {
  const [title = "Some quotes cannot be read", ...others] = problems;
  const rows = plural(quoteFaultCount, "row is", "rows are");
  return { title, sentences: [...others, `${rows} left out for it; all others are taken.`] };
}

/** What was left out and why, and what else was noticed. */
export function samplePlaces({ table, proposal, pictures, quoteFaultCount }: SampleView): string[] {
  const places: string[] = [];
  const odd = (table?.otherWidth ?? 0) - quoteFaultCount;
  if (odd > 0)
    places.push(`${plural(odd, "row has", "rows have")} another number of cells than the header has names.`);
  const { withCommas = [] } = proposal ?? {};
  if (withCommas.length > 0)
    places.push(`Decimal commas are read as points, in ${some(withCommas)}: 6,5 is six and a half.`);
  if (pictures !== null && pictures.otherFiles > 0)
    places.push(
      `${plural(pictures.otherFiles, "file")} beside the pictures ${pictures.otherFiles === 1 ? "is" : "are"} no picture and ${pictures.otherFiles === 1 ? "was" : "were"} not read.`,
    );
  return places;
}

const KINDS: Readonly<Record<KindClash["sample"], string>> = {
  table: "a table",
  series: "series",
  pictures: "pictures",
};

/** What to ask if a sample is of another kind than the draft. */
export function clashWords({ draft, sample }: KindClash): {
  readonly question: string;
  readonly anew: string;
} {
  return {
    question: `This sample is ${KINDS[sample]}, and your draft is about ${KINDS[draft]}. The draft is as it was.`,
    anew: `Begin anew with ${KINDS[sample]}; the draft stays in the list`,
  };
}

/** How it was read, and whether ranges are final. */
export function sampleNote(sample: SampleView): string {
  const { state, notes, byteCount, readByteCount, elapsedMs, hasPlainQuotes } = sample;
  const how = [...notes, ...(hasPlainQuotes ? ["Every quote was read as a plain character."] : [])].join(" ");
  if (state === "reading") {
    const share = byteCount === 0 ? 0 : readByteCount / byteCount;
    return `${how} Reading: ${formatPercent(share)}. ${sample.pictures === null ? "Ranges may still grow" : "Size and colours may still change"}.`.trim();
  }
  if (sample.pictures !== null) return picturesNote(sample.pictures, elapsedMs);
  return `${how} Ranges are final: the whole sample was read, in ${formatSeconds(elapsedMs / 1_000)}.`.trim();
}

/** Of many pictures some are looked at; all are counted by their folders. */
function picturesNote({ lookedAt, classes, withoutClass }: PicturesProfile, elapsedMs: number): string {
  const all = classes.reduce((sum, { count }) => sum + count, withoutClass);
  const which =
    lookedAt === all ? plural(all, "picture") : `${formatCount(lookedAt)} of ${plural(all, "picture")}`;
  return `Size and colours follow from ${which}, looked at in ${formatSeconds(elapsedMs / 1_000)}.`;
}
