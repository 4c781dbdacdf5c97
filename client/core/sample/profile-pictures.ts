import type { NamedFile } from "#shared/archive/byte-source.ts";
import { err, ok, type Result } from "#shared/kernel/result.ts";
import type { PictureCodecs } from "#shared/pictures/codecs.ts";
import { readPictureHeader } from "#shared/pictures/read-header.ts";
import { PICTURE_BYTES_MAX, readPicture } from "#shared/pictures/read-picture.ts";
import { classesOfPaths, isPicturePath, type PicturesProfile } from "#shared/sample/pictures-profile.ts";

/** Pictures whose headers are read, spread evenly over the sample. */
const LOOKED_AT_MAX = 200;
const FOLLOW_EVERY = 50;

/**
 * Classes, sizes and colours of pictures in folders.
 *
 * @returns What is known of the whole. Errors: a sentence.
 */
export async function profilePictures(
  files: readonly NamedFile[],
  codecs: PictureCodecs,
  follow: (progress: PicturesProfile) => void,
): Promise<Result<PicturesProfile, string>> {
  const pictures = files.filter(({ path }) => isPicturePath(path));
  if (pictures.length === 0) {
    return err(
      "There is neither a picture (PNG, JPEG or WebP) nor a single CSV file in it. Choose a folder or a zip that has them.",
    );
  }
  const classes = classesOfPaths(files.map(({ path }) => path));
  const step = Math.max(1, Math.floor(pictures.length / LOOKED_AT_MAX));
  const countBySize = new Map<string, number>();
  let withColour = 0;
  let lookedAt = 0;
  const profile = (): PicturesProfile => ({ ...classes, sizes: sizesOf(countBySize), withColour, lookedAt });
  for (let at = 0; at < pictures.length && lookedAt < LOOKED_AT_MAX; at += step) {
    const bytes = await (pictures[at] as NamedFile).read(PICTURE_BYTES_MAX);
    if (!bytes.ok) continue;
    const header = readPictureHeader(bytes.value);
    if (!header.ok) continue;
    lookedAt += 1;
    const { width, height } = header.value;
    const size = `${width} ${height}`;
    countBySize.set(size, (countBySize.get(size) ?? 0) + 1);
    if (await isInColour(bytes.value, codecs)) withColour += 1;
    if (lookedAt % FOLLOW_EVERY === 0) follow(profile());
  }
  return ok(profile());
}

function sizesOf(countBySize: ReadonlyMap<string, number>): PicturesProfile["sizes"] {
  return [...countBySize]
    .map(([size, count]) => {
      const [width = 0, height = 0] = size.split(" ").map(Number);
      return { width, height, count };
    })
    .toSorted((a, b) => b.count - a.count);
}

/** Colours are looked for in a small copy. */
const LOOK_SIDE = 16;
/** Red, green and blue of a grey picture differ by less, even after a lossy codec. */
const COLOUR_STEP = 0.06;

async function isInColour(bytes: Uint8Array, codecs: PictureCodecs): Promise<boolean> {
  const read = await readPicture(bytes, { height: LOOK_SIDE, width: LOOK_SIDE, channels: 3 }, codecs);
  if (!read.ok) return false;
  const { pixels } = read.value;
  for (let at = 0; at < pixels.length; at += 3) {
    const [red = 0, green = 0, blue = 0] = pixels.subarray(at, at + 3);
    if (Math.max(red, green, blue) - Math.min(red, green, blue) > COLOUR_STEP) return true;
  }
  return false;
}
