import { pagePictureCodecs } from "#client/adapters/page-codecs.ts";
import { bytesToHex, hexToBytes } from "#shared/kernel/bytes.ts";
import { readPicture } from "#shared/pictures/read-picture.ts";

/* Reads picture files with a page's decoders. */

const codecs = pagePictureCodecs();

/** @returns the values' bytes of each file in hexadecimal; "! " and the fault if it was refused. */
async function readPictures(
  files: readonly string[],
  shape: { readonly height: number; readonly width: number; readonly channels: 1 | 3 },
): Promise<string[]> {
  const read: string[] = [];
  for (const file of files) {
    const picture = await readPicture(hexToBytes(file), shape, codecs);
    read.push(picture.ok ? bytesToHex(new Uint8Array(picture.value.pixels.buffer)) : `! ${picture.error}`);
  }
  return read;
}

Object.assign(globalThis, { readPictures });
