import type { ReadingView } from "#client/index.ts";
import { folderOfClass } from "#shared/data/class-folders.ts";
import { channelCount, type ImageFeatures } from "#shared/task/features.ts";
import { formatCount, formatFileSize, plural } from "./format.ts";

/* The words for picture files, folders and archives that a participant adds. */

const FOLDERS_SHOWN = 4;

/** How a folder or an archive of pictures is laid out. */
export function classFoldersNote({ classes }: Pick<ImageFeatures, "classes">): string {
  const folders = classes.map(folderOfClass);
  const shown = folders.slice(0, FOLDERS_SHOWN).join(", ");
  const names = folders.length > FOLDERS_SHOWN ? `${shown} and so on, ${folders.length} in all` : shown;
  return `In it a folder for each class, called ${names}; or the IDX files of a set such as MNIST. A zip archive may hold the same.`;
}

/** What becomes of a picture, and where. */
export function fittingNote(features: ImageFeatures): string {
  const { height, width } = features;
  const size = `${height} by ${width} pixels`;
  const kinds = "PNG, JPEG or WebP, in any size.";
  const how =
    channelCount(features) === 1
      ? `Each is made grey and brought to ${size}: ink on an even background is cropped and centred, of a photo the middle is taken.`
      : `Of each the middle is taken and brought to ${size}.`;
  return `${kinds} ${how} All of that happens in this browser.`;
}

/** "1,234 of 60,000 pictures read." Of a table: "12 MB of 46 MB read." */
export function readingSentence({ unit, doneCount, totalCount }: ReadingView): string {
  if (unit === "bytes") return `${formatFileSize(doneCount)} of ${formatFileSize(totalCount)} read.`;
  return `${formatCount(doneCount)} of ${plural(totalCount, "picture")} read.`;
}

/** Beside the small picture that the model gets. */
export function seenNote(features: ImageFeatures): string {
  const size = `As the model sees it: ${features.height} by ${features.width} squares`;
  return channelCount(features) === 1 ? `${size}, filled and centred.` : `${size}, in colour.`;
}
