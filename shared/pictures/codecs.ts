import type { PictureHeader } from "./picture-header.ts";
import type { Raster } from "./raster.ts";

/*
 * The decoders of Squoosh, compiled to WebAssembly: mozjpeg, libwebp and Rust's png crate. A page and an edge run the same
 * code, so that both read the same pixels.
 */

export type CodecName = PictureHeader["format"];

/** Loads a decoder's file; the platform knows where it is. Called again if it rejects. */
export type LoadCodec = (name: CodecName) => Promise<Uint8Array>;

export interface PictureCodecs {
  /**
   * Decodes what `readPictureHeader` has accepted.
   *
   * @returns null if the file is damaged.
   */
  decode(header: PictureHeader): Promise<Raster | null>;
}

interface Decoded {
  readonly data: Uint8ClampedArray;
  readonly width: number;
  readonly height: number;
}
/** What a decoder of Emscripten gives. */
interface EmscriptenDecoder {
  decode(...args: readonly [bytes: Uint8Array, ...options: readonly unknown[]]): Decoded | null;
}
type EmscriptenFactory = (options: object) => Promise<EmscriptenDecoder>;
/** The part of the platform's WebAssembly that is used; shared/ has no types of a platform. */
interface WebAssemblyLike {
  compile(bytes: Uint8Array): Promise<object>;
  readonly Instance: new (module: object, imports: object) => { readonly exports: object };
}
const webAssembly = (globalThis as unknown as { readonly WebAssembly: WebAssemblyLike }).WebAssembly;

/** A decoder keeps the memory of its largest picture, so one that took more than this is replaced. */
const PIXELS_KEPT_MAX = 4_000_000;
/** libjpeg warns and goes on in grey. What is only untidy (extra bytes, odd versions) is accepted, as browsers do. */
const DAMAGE = /premature end|corrupt JPEG data: (?:bad|premature)|bad Huffman|invalid/i;

/** Loads each decoder when it is first needed. */
export function openPictureCodecs(load: LoadCodec): PictureCodecs {
  ensureImageData();
  const compiled = new Map<CodecName, Promise<object>>();
  const moduleOf = (name: CodecName) => {
    const compiling = compiled.get(name) ?? load(name).then((bytes) => webAssembly.compile(bytes));
    compiled.set(name, compiling);
    // A network that was down may be up at the next try.
    compiling.catch(() => compiled.delete(name));
    return compiling;
  };
  const png = openPng(() => moduleOf("png"));
  // Orientation is applied by this program, to all kinds alike.
  const preserveOrientation = false;
  const jpeg = openEmscripten(() => moduleOf("jpeg"), jpegFactory, [preserveOrientation]);
  const webp = openEmscripten(() => moduleOf("webp"), webpFactory, []);
  const decoders: Readonly<Record<CodecName, (header: PictureHeader) => Promise<Raster | null>>> = {
    png,
    jpeg,
    webp,
  };
  return { decode: (header) => decoders[header.format](header) };
}

const jpegFactory = async () =>
  (await import("@jsquash/jpeg/codec/dec/mozjpeg_dec.js")).default as unknown as EmscriptenFactory;
const webpFactory = async () =>
  (await import("@jsquash/webp/codec/dec/webp_dec.js")).default as unknown as EmscriptenFactory;

function openPng(load: () => Promise<object>): (header: PictureHeader) => Promise<Raster | null> {
  let loading: Promise<typeof import("@jsquash/png/codec/pkg/squoosh_png.js")> | null = null;
  const open = async () => {
    const [glue, module] = await Promise.all([import("@jsquash/png/codec/pkg/squoosh_png.js"), load()]);
    glue.initSync(module as Parameters<typeof glue.initSync>[0]);
    return glue;
  };
  return async (header) => {
    loading ??= open();
    const glue = await loading.catch((fault: unknown) => {
      loading = null;
      throw fault;
    });
    try {
      if (header.width * header.height > PIXELS_KEPT_MAX) loading = null;
      return header.isDeep
        ? deepRaster(glue.decode_rgba16(header.essence))
        : rasterOf(glue.decode(header.essence));
    } catch {
      // Rust has panicked and leaked its memory, which a new instance does not inherit.
      loading = null;
      return null;
    }
  };
}

function openEmscripten(
  load: () => Promise<object>,
  factoryOf: () => Promise<EmscriptenFactory>,
  options: readonly unknown[],
): (header: PictureHeader) => Promise<Raster | null> {
  let loading: Promise<EmscriptenDecoder> | null = null;
  let isDamaged = false;
  const open = async () => {
    const [factory, module] = await Promise.all([factoryOf(), load()]);
    return factory({
      noInitialRun: true,
      print: () => {},
      printErr: (line: string) => {
        if (DAMAGE.test(line)) isDamaged = true;
      },
      instantiateWasm: (imports: object, done: (instance: object) => void) => {
        const instance = new webAssembly.Instance(module, imports);
        done(instance);
        return instance.exports;
      },
    });
  };
  return async (header) => {
    loading ??= open();
    const decoder = await loading.catch((fault: unknown) => {
      loading = null;
      throw fault;
    });
    if (header.width * header.height > PIXELS_KEPT_MAX) loading = null;
    isDamaged = false;
    try {
      const decoded = decoder.decode(header.essence, ...options);
      return decoded === null || isDamaged ? null : rasterOf(decoded);
    } catch {
      // The decoder has called exit(), after which it cannot be used again.
      loading = null;
      return null;
    }
  };
}

function rasterOf({ data, width, height }: Decoded): Raster {
  return { pixels: data, width, height, valueMax: 255 };
}

function deepRaster(decoded: {
  readonly data: Uint16Array;
  readonly width: number;
  readonly height: number;
  free(): void;
}): Raster {
  // The values are in the decoder's memory until `free`.
  const raster = {
    pixels: decoded.data.slice(),
    width: decoded.width,
    height: decoded.height,
    valueMax: 65_535,
  };
  decoded.free();
  return raster;
}

/** Decoders give their pixels as the browser's ImageData, which Node lacks. */
function ensureImageData(): void {
  const platform = globalThis as { ImageData?: unknown };
  platform.ImageData ??= class {
    readonly data: Uint8ClampedArray;
    readonly width: number;
    readonly height: number;
    constructor(data: Uint8ClampedArray, width: number, height: number) {
      this.data = data;
      this.width = width;
      this.height = height;
    }
  };
}
