import { idxLayoutOf } from "#shared/data/set-layout.ts";
import type { HeldOutBegin, HeldOutUpload, HeldOutView } from "#shared/protocol/api.ts";
import type { HeldOutReading } from "#shared/task/held-out.ts";
import { formatCount, formatFileSize, formatHash, formatPercent, plural } from "./format.ts";

/* Words for held-out rows: their upload, their card, and what it means to have none. */

type Choice = { readonly files: readonly { readonly name: string }[]; readonly card: HeldOutBegin["card"] };

/** What a choice lacks before it can be uploaded; null if nothing. */
export function cardFault(choice: Choice | null): string | null {
  if (choice === null || choice.files.length === 0)
    return "Choose the file, and say where its rows come from.";
  const { source, licence, ground, collected } = choice.card;
  const empty = [
    ["the source", source],
    ["the licence", licence],
    ["the ground", ground],
    ["when it was collected", collected],
  ].flatMap(([name, text]) => (text?.trim() === "" ? [name] : []));
  return empty.length === 0 ? null : `Still to be said: ${empty.join(", ")}.`;
}

/** How the bytes of a choice are read, by the names of its files. */
export function readingOf(names: readonly string[], kind: "table" | "series" | "pictures"): HeldOutReading {
  if (kind !== "pictures") return { format: "csv" };
  const [name = ""] = names;
  if (names.length === 2) return { format: "idx", layout: idxLayoutOf(name) };
  return { format: name.toLowerCase().endsWith(".csv") ? "csv" : "zip" };
}

/** How far an upload is, or how it ended. */
export function uploadSentence(upload: HeldOutUpload): string {
  const { state, byteCount, receivedByteCount, rowsChecked, checkedShare, refusal, set } = upload;
  switch (state) {
    case "receiving":
      return `${formatFileSize(receivedByteCount)} of ${formatFileSize(byteCount)} sent. Nothing is stored until all rows fit.`;
    case "checking":
      return `All of ${formatFileSize(byteCount)} are there; ${plural(rowsChecked, "row")} checked, ${formatPercent(checkedShare)}.`;
    case "set":
      return set === null
        ? "The rows are set."
        : `${plural(set.rowCount, "row")} judge the task’s models from now on, under the fingerprint ${formatHash(set.hash)}.`;
    case "refused":
      return refusal?.error.message ?? "The rows were refused. Nothing was stored.";
    case "stopped":
      return "Stopped. Nothing of it was stored.";
  }
}

/** "640 rows judge every version. One in seven is “yes”." */
export function setSentence({ rowCount, balance, isUsed }: HeldOutView): string {
  const judge = isUsed
    ? `${plural(rowCount, "row judges", "rows judge")} this task’s models.`
    : `${plural(rowCount, "row")} are kept, but they do not fit the newest version, so devices alone judge its models.`;
  if (balance.kind === "number")
    return `${judge} Their label runs from ${short(balance.least)} to ${short(balance.greatest)}, ${short(balance.mean)} on average.`;
  const rarest = balance.counts.toSorted((a, b) => a.rows - b.rows)[0];
  if (rarest === undefined || rarest.rows === 0) return judge;
  return `${judge} One in ${formatCount(rowCount / rarest.rows)} is “${rarest.name}”.`;
}

const short = (value: number): string => String(Number(value.toPrecision(3)));

/** Before they are removed. */
export const WITHOUT_HELD_OUT =
  "The rows are deleted from this coordinator. From the next round on, models are judged only on the rows that devices keep back. Figures of before stay, and are never drawn on one line with those.";

export const NO_HELD_OUT =
  "There are no held-out rows. Models are judged on the rows that devices keep back, from the sums alone; nobody can check a single device’s rows.";
