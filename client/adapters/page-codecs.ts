import { type CodecName, openPictureCodecs, type PictureCodecs } from "#shared/pictures/codecs.ts";

/** Each in the literal form that bundlers recognize. */
const FILES: Readonly<Record<CodecName, string>> = {
  png: new URL("../../node_modules/@jsquash/png/codec/pkg/squoosh_png_bg.wasm", import.meta.url).href,
  jpeg: new URL("../../node_modules/@jsquash/jpeg/codec/dec/mozjpeg_dec.wasm", import.meta.url).href,
  webp: new URL("../../node_modules/@jsquash/webp/codec/dec/webp_dec.wasm", import.meta.url).href,
};

/** The decoders for pictures, fetched when they are first needed. @throws in `decode` if they cannot be. */
export function pagePictureCodecs(): PictureCodecs {
  return openPictureCodecs(async (name) => {
    const response = await fetch(FILES[name]);
    if (!response.ok) throw new Error(`a decoder for pictures was answered with ${response.status}`);
    return new Uint8Array(await response.arrayBuffer());
  });
}
