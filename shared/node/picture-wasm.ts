import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import type { CodecName } from "#shared/pictures/codecs.ts";
import { openPictureCodecs, type PictureCodecs } from "#shared/pictures/codecs.ts";

const FILES: Readonly<Record<CodecName, string>> = {
  png: "@jsquash/png/codec/pkg/squoosh_png_bg.wasm",
  jpeg: "@jsquash/jpeg/codec/dec/mozjpeg_dec.wasm",
  webp: "@jsquash/webp/codec/dec/webp_dec.wasm",
};

/** The decoders for pictures, from their packages. */
export function nodePictureCodecs(): PictureCodecs {
  const { resolve } = createRequire(import.meta.url);
  return openPictureCodecs((name) => readFile(resolve(FILES[name])));
}
