import { readdirSync, readFileSync } from "node:fs";
import { deflateSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { nodePictureCodecs } from "#shared/node/picture-wasm.ts";
import { rasterToPicture } from "#shared/pictures/raster.ts";
import { PIXELS_MAX, readPictureHeader } from "#shared/pictures/read-header.ts";
import { readPicture } from "#shared/pictures/read-picture.ts";
import { makePng, type PngPlan } from "#test/kit/files/png.ts";

const folder = new URL("../../../vectors/data/pictures/", import.meta.url);
const fileOf = (name: string) => new Uint8Array(readFileSync(new URL(name, folder)));
const expected = JSON.parse(readFileSync(new URL("expected.json", folder), "utf8")) as Record<
  string,
  { readonly width: number; readonly height: number; readonly rgb: string }
>;
const codecs = nodePictureCodecs();

async function decode(bytes: Uint8Array, channels: 1 | 3 = 3) {
  const header = readPictureHeader(bytes);
  if (!header.ok) throw new Error(header.error);
  const raster = await codecs.decode(header.value);
  if (raster === null) throw new Error("is damaged");
  return rasterToPicture(raster, header.value.orientation, channels);
}
async function faultOf(bytes: Uint8Array): Promise<string> {
  const read = await readPicture(bytes, { height: 8, width: 8, channels: 1 }, codecs);
  return read.ok ? "taken" : read.error;
}

describe("[D40] PNG, JPEG and WebP", () => {
  test.each(Object.keys(expected))("%s is read as Pillow reads it, upright", async (name) => {
    const { width, height, rgb } = expected[name] as (typeof expected)[string];
    const picture = await decode(fileOf(name));
    expect([picture.width, picture.height]).toEqual([width, height]);
    const wanted = Buffer.from(rgb, "hex");
    // Lossless pictures agree but for the rounding of what is transparent; decoders of lossy ones differ a little.
    const tolerance = /lossy|subsampled/.test(name) ? 12 : /jpg/.test(name) ? 3 : 1;
    const differences = Array.from(picture.values, (value, at) =>
      Math.abs(255 * value - (wanted[at] as number)),
    );
    expect(Math.max(...differences)).toBeLessThanOrEqual(tolerance + 1e-4);
  });

  /** Red, green, blue and opacity that a stored pixel means, each 0 to 1. Source: the PNG specification, 13. */
  function meaning(plan: PngPlan, pixel: number): readonly number[] {
    const most = 2 ** plan.depth - 1;
    const [count, isGrey] = { 0: [1, true], 2: [3, false], 3: [1, false], 4: [2, true], 6: [4, false] }[
      plan.colourType
    ] as [number, boolean];
    const stored = Array.from({ length: count }, (_, at) => plan.values[pixel * count + at] as number);
    const { palette = [], transparency = [] } = plan;
    if (plan.colourType === 3) {
      const entry = stored[0] as number;
      return [...palette.slice(3 * entry, 3 * entry + 3), transparency[entry] ?? 255].map(
        (value) => value / 255,
      );
    }
    const key = transparency
      .filter((_, at) => at % 2 === 1)
      .map((low, at) => low + 256 * (transparency[2 * at] ?? 0));
    const isKey = key.length > 0 && key.every((value, at) => value === stored[at]);
    const scaled = stored.map((value) => value / most);
    if (isGrey) return [scaled[0], scaled[0], scaled[0], scaled[1] ?? (isKey ? 0 : 1)] as number[];
    return [...scaled.slice(0, 3), scaled[3] ?? (isKey ? 0 : 1)];
  }

  const kinds: readonly (readonly [
    string,
    Pick<PngPlan, "depth" | "colourType" | "palette" | "transparency">,
  ])[] = [
    ...[1, 2, 4, 8, 16].map((depth) => [`grey, ${depth} bits`, { depth, colourType: 0 }] as const),
    ...[1, 2, 4, 8, 16].map(
      (depth) =>
        [`grey with a colour key, ${depth} bits`, { depth, colourType: 0, transparency: [0, 1] }] as const,
    ),
    ...[1, 2, 4, 8].map(
      (depth) =>
        [
          `a palette, ${depth} bits`,
          { depth, colourType: 3, palette: paletteOf(2 ** depth), transparency: [0, 128] },
        ] as const,
    ),
    ...[8, 16].flatMap((depth) => [
      [`RGB, ${depth} bits`, { depth, colourType: 2 }] as const,
      [
        `RGB with a colour key, ${depth} bits`,
        { depth, colourType: 2, transparency: [0, 1, 0, 1, 0, 1] },
      ] as const,
      [`grey and alpha, ${depth} bits`, { depth, colourType: 4 }] as const,
      [`RGBA, ${depth} bits`, { depth, colourType: 6 }] as const,
    ]),
  ];
  function paletteOf(count: number): number[] {
    return Array.from({ length: 3 * count }, (_, at) => (at * 83 + 7) % 256);
  }
  const both = kinds.flatMap(([name, kind]) =>
    [false, true].map(
      (isInterlaced) => [`${name}${isInterlaced ? ", interlaced" : ""}`, kind, isInterlaced] as const,
    ),
  );
  test.each(both)("a PNG of %s means what its specification says", async (_, kind, isInterlaced) => {
    const [width, height] = [11, 9];
    const count = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 }[kind.colourType];
    const most = 2 ** kind.depth;
    const values = Array.from({ length: width * height * count }, (_unused, at) =>
      // The first pixel is the colour key.
      at < 3 && kind.transparency !== undefined ? 1 : (at * 40_503 + 11 * (at >> 3)) % most,
    );
    const plan: PngPlan = { ...kind, width, height, values, isInterlaced };
    const bytes = makePng(plan);
    const [colour, grey] = [await decode(bytes), await decode(bytes, 1)];
    for (let pixel = 0; pixel < width * height; pixel++) {
      const [red = 0, green = 0, blue = 0, opacity = 1] = meaning(plan, pixel);
      const onWhite = [red, green, blue].map((value) => value * opacity + 1 - opacity);
      for (const [at, value] of onWhite.entries())
        expect(colour.values[3 * pixel + at]).toBeCloseTo(value, 6);
      const [r = 0, g = 0, b = 0] = onWhite;
      expect(grey.values[pixel]).toBeCloseTo(0.299 * r + 0.587 * g + 0.114 * b, 6);
    }
  });

  test("grey values stay exact: v of 255 is v / 255", async () => {
    const values = Array.from({ length: 256 }, (_, value) => value);
    const { values: read } = await decode(
      makePng({ width: 16, height: 16, depth: 8, colourType: 0, values }),
      1,
    );
    expect([...read]).toEqual(values.map((value) => Math.fround(value / 255)));
  });
});

describe("[D41] what is not read is named, with what to do", () => {
  const text = (words: string) => new Uint8Array(Buffer.from(words));
  const heic = text("\0\0\0\x18ftypheic\0\0\0\0mif1heic");
  test.each<readonly [string, Uint8Array, RegExp]>([
    ["nothing", new Uint8Array(0), /^is empty$/],
    ["a GIF", fileOf("a.gif"), /^is a GIF, which is not read here; save it as PNG or JPEG$/],
    ["a BMP", fileOf("a.bmp"), /a BMP/],
    ["a TIFF", fileOf("a.tiff"), /a TIFF/],
    ["an AVIF", fileOf("a.avif"), /an AVIF/],
    ["a HEIC", heic, /a HEIC/],
    ["a Netpbm", fileOf("a.ppm"), /Netpbm/],
    ["a JPEG 2000", fileOf("a.jp2"), /JPEG 2000/],
    ["an icon", fileOf("a.ico"), /ICO/],
    ["an SVG", text('<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"/>'), /an SVG/],
    ["a web page", text("<!DOCTYPE html><html></html>"), /web page/],
    ["a PDF", text("%PDF-1.7"), /a PDF; save it as/],
    ["a zip", text("PK\x03\x04"), /zip archive/],
    ["text", text("label: cat"), /^is no picture; PNG, JPEG and WebP are read$/],
    ["an animated WebP", fileOf("animated.webp"), /an animation; save one of its frames/],
    ["a JPEG in CMYK", fileOf("cmyk.jpg"), /printing colours \(CMYK\); save it in RGB/],
    [
      "a JPEG without a picture",
      Buffer.from("ffd8ffe000104a46494600010100000100010000ffd9", "hex"),
      /without a picture/,
    ],
  ])("%s", async (_, bytes, fault) => {
    expect(await faultOf(bytes)).toMatch(fault);
  });

  test("whatever a file is called, it is read by its content", async () => {
    // Names are not even handed over.
    expect(await faultOf(fileOf("lossless.webp"))).toBe("taken");
  });

  test("no part of a picture file is taken for a picture", async () => {
    for (const name of readdirSync(folder).filter((file) =>
      /^(exif-6|lossless|lossy|progressive)\./.test(file),
    )) {
      const whole = fileOf(name);
      for (let length = 0; length < whole.length; length += name.endsWith("jpg") ? 37 : 5) {
        const fault = await faultOf(whole.subarray(0, length));
        expect(fault, `${name} of ${length} bytes`).toMatch(/empty|cut short|damaged|no picture/);
      }
      expect(await faultOf(whole), name).toBe("taken");
    }
  });

  test("a damaged byte is named or changes pixels, and the next picture is read", async () => {
    for (const name of ["exif-6.png", "exif-6.jpg", "exif-6.webp"]) {
      for (let at = 0; at < 200; at += 3) {
        const bytes = fileOf(name).slice();
        bytes[at] = (bytes[at] ?? 0) ^ 0xa5;
        expect(typeof (await faultOf(bytes))).toBe("string");
      }
      expect(await faultOf(fileOf(name)), name).toBe("taken");
    }
  });
});

describe("[D42] a picture that lies about its size is refused before it is decoded", () => {
  const plan = { width: 8, height: 8, depth: 8, colourType: 0, values: new Array(64).fill(0) } as const;
  const withSize = (width: number, height: number) =>
    makePng({ ...plan, width, height, packed: deflateSync(new Uint8Array(72)) });

  test("more pixels than any task needs", async () => {
    expect(8_000 * 8_000).toBeGreaterThan(PIXELS_MAX);
    const plausible = new Uint8Array(70_000);
    expect(await faultOf(makePng({ ...plan, width: 8_000, height: 8_000, packed: plausible }))).toBe(
      "is 8000 by 8000 pixels, more than 50 million in all; scale it down first",
    );
    const jpeg = fileOf("grey.jpg").slice();
    const frame = jpeg.findIndex((value, at) => value === 0xff && jpeg[at + 1] === 0xc0);
    jpeg.set([0xff, 0xff, 0xff, 0xff], frame + 5);
    expect(await faultOf(jpeg)).toMatch(/65535 by 65535 pixels/);
    const webp = fileOf("lossless.webp").slice();
    webp.set([0xff, 0xff, 0xff, 0x0f], 21);
    expect(await faultOf(webp)).toMatch(/16384 by 16384 pixels/);
    expect(await faultOf(withSize(0xffff_ffff, 0xffff_ffff))).toMatch(/holds far fewer|million/);
    expect(await faultOf(withSize(0, 8))).toMatch(/no width or no height/);
  });

  test("pixels that its data cannot hold", async () => {
    expect(await faultOf(withSize(7_000, 7_000))).toBe(
      "says that it is 7000 by 7000 pixels, but holds far fewer; save it again",
    );
    expect(await faultOf(withSize(100, 100))).toMatch(/damaged/);
  });

  test("data that its pixels cannot need", async () => {
    const noise = Uint8Array.from({ length: 200_000 }, (_, at) => (at * at * 31 + (at >> 3)) & 255);
    expect(await faultOf(makePng({ ...plan, packed: deflateSync(noise, { level: 0 }) }))).toMatch(
      /holds far more/,
    );
    // 60 kB of deflate that unpack to 60 MB: the decoder takes its 72 bytes and no more.
    const bomb = deflateSync(new Uint8Array(60_000_000), { level: 9 });
    expect(bomb.length).toBeLessThan(65_536);
    const before = process.memoryUsage().arrayBuffers;
    expect(await faultOf(makePng({ ...plan, packed: bomb }))).toMatch(/taken|damaged/);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(20_000_000);
  });

  test("a colour profile that unpacks to any size is not unpacked", async () => {
    const profile = Buffer.concat([Buffer.from("p\0\0"), deflateSync(new Uint8Array(30_000_000))]);
    expect(await faultOf(makePng({ ...plan, extra: [["iCCP", profile]] }))).toBe("taken");
  });
});
