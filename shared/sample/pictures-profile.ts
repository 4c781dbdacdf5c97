/** What is known of pictures in folders, one folder for each class. */
export interface PicturesProfile {
  /** Folders with pictures directly in them, in the order of their names. */
  readonly classes: readonly { readonly name: string; readonly count: number }[];
  /** Pictures that lie in no folder. */
  readonly withoutClass: number;
  /** Other files. */
  readonly otherFiles: number;
  /** Sizes of the pictures that were looked at, the most frequent first. */
  readonly sizes: readonly { readonly width: number; readonly height: number; readonly count: number }[];
  /** Of the pictures that were looked at, those with colours. */
  readonly withColour: number;
  readonly lookedAt: number;
}

const PICTURE = /\.(?:png|jpe?g|webp)$/i;
/** Files that systems leave behind. */
const SYSTEM = /(?:^|\/)(?:\.|__MACOSX\/|Thumbs\.db$|desktop\.ini$)/i;

/**
 * Classes of files by their paths: the folder that a picture lies in. Folders around those do not matter.
 *
 * @param paths  With "/" between folders.
 */
export function classesOfPaths(
  paths: readonly string[],
): Pick<PicturesProfile, "classes" | "withoutClass" | "otherFiles"> {
  const countByName = new Map<string, number>();
  let withoutClass = 0;
  let otherFiles = 0;
  for (const path of paths) {
    if (SYSTEM.test(path)) continue;
    if (!PICTURE.test(path)) {
      otherFiles += 1;
      continue;
    }
    const folder = path.split("/").at(-2);
    if (folder === undefined) withoutClass += 1;
    else countByName.set(folder, (countByName.get(folder) ?? 0) + 1);
  }
  const classes = [...countByName]
    .map(([name, count]) => ({ name, count }))
    .toSorted((a, b) => a.name.localeCompare(b.name, "en", { numeric: true }));
  return { classes, withoutClass, otherFiles };
}

export function isPicturePath(path: string): boolean {
  return PICTURE.test(path) && !SYSTEM.test(path);
}

/** Sides that are proposed at most. A small model on a device learns no more from more. */
const SIDE_MAX = 64;
const SIDE_STEP = 4;

/** The size that pictures are brought to: the most frequent one, made smaller if it is large. */
export function proposedSize({ sizes }: PicturesProfile): {
  readonly width: number;
  readonly height: number;
} {
  const [first] = sizes;
  if (first === undefined) return { width: 28, height: 28 };
  const share = Math.min(1, SIDE_MAX / Math.max(first.width, first.height));
  if (share === 1) return { width: first.width, height: first.height };
  const side = (length: number) => Math.max(SIDE_STEP, Math.round((length * share) / SIDE_STEP) * SIDE_STEP);
  return { width: side(first.width), height: side(first.height) };
}
