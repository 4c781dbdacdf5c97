/** A decoded picture: red, green, blue and opacity of each pixel, row by row. */
export interface Raster {
  readonly pixels: Uint8ClampedArray | Uint8Array | Uint16Array;
  readonly height: number;
  readonly width: number;
  /** The value of white and of full opacity: 255 or 65,535. */
  readonly valueMax: number;
}

/** `values` [height, width, channels] flat, from 0 (black) to 1 (white or full colour). One channel is grey, three are RGB. */
export interface Picture {
  readonly values: Float32Array;
  readonly height: number;
  readonly width: number;
  readonly channels: 1 | 3;
}

/** Luma in thousandths. Integers keep grey exact: (299 + 587 + 114) v / 1000 = v. Source: ITU-R BT.601. */
const LUMA = [299, 587, 114] as const;
/** Larger pictures are averaged down by a whole number first, to a longer side from here to twice as much. */
const SIDE_ENOUGH = 1_024;

/**
 * Lays a picture on white, turns it upright and takes its grey or its colours. Sums are exact integers, so that every
 * platform has the same values.
 *
 * @param orientation  1 to 8, see `PictureHeader`.
 */
export function rasterToPicture(raster: Raster, orientation: number, channels: 1 | 3): Picture {
  const block = Math.max(1, Math.floor(Math.max(raster.height, raster.width) / SIDE_ENOUGH));
  const height = Math.ceil(raster.height / block);
  const width = Math.ceil(raster.width / block);
  const size = orientation >= 5 ? { height: width, width: height } : { height, width };
  const values = new Float32Array(height * width * channels);
  const { start, rowStep, columnStep } = turn(orientation, height, width);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const at = (start + row * rowStep + column * columnStep) * channels;
      if (block === 1) pixelInto(values, at, raster, row * width + column, channels);
      else meanInto(values, at, raster, { row, column, block }, channels);
    }
  }
  return { values, ...size, channels };
}

function pixelInto(values: Float32Array, to: number, raster: Raster, pixel: number, channels: 1 | 3): void {
  const whole = raster.valueMax * raster.valueMax;
  if (channels === 1) {
    values[to] = lumaOnWhite(raster, pixel) / (1_000 * whole);
    return;
  }
  for (let channel = 0; channel < 3; channel++) {
    values[to + channel] = onWhite(raster, pixel, channel) / whole;
  }
}

function meanInto(
  values: Float32Array,
  to: number,
  raster: Raster,
  place: { readonly row: number; readonly column: number; readonly block: number },
  channels: 1 | 3,
): void {
  const { block } = place;
  const [top, left] = [place.row * block, place.column * block];
  const [bottom, right] = [Math.min(raster.height, top + block), Math.min(raster.width, left + block)];
  const whole = raster.valueMax * raster.valueMax * (bottom - top) * (right - left);
  for (let channel = 0; channel < channels; channel++) {
    let sum = 0;
    for (let row = top; row < bottom; row++) {
      for (let column = left; column < right; column++) {
        const pixel = row * raster.width + column;
        sum += channels === 1 ? lumaOnWhite(raster, pixel) : onWhite(raster, pixel, channel);
      }
    }
    values[to + channel] = sum / (channels === 1 ? 1_000 * whole : whole);
  }
}

/** In units of valueMax^2. */
function onWhite({ pixels, valueMax }: Raster, pixel: number, channel: number): number {
  const opacity = pixels[4 * pixel + 3] as number;
  return (pixels[4 * pixel + channel] as number) * opacity + valueMax * (valueMax - opacity);
}

/** In units of valueMax^2 / 1000. */
function lumaOnWhite({ pixels, valueMax }: Raster, pixel: number): number {
  const at = 4 * pixel;
  const luma =
    LUMA[0] * (pixels[at] as number) +
    LUMA[1] * (pixels[at + 1] as number) +
    LUMA[2] * (pixels[at + 2] as number);
  const opacity = pixels[at + 3] as number;
  return luma * opacity + 1_000 * valueMax * (valueMax - opacity);
}

/** Shares of the full value within which a lossy codec may move the three values of grey apart. */
const GREY_TOLERANCE = 0.06;

/** What a picture has that grey on white does not. */
export function looksOf({ pixels, valueMax }: Raster): {
  readonly isOpaque: boolean;
  readonly isGrey: boolean;
} {
  const most = GREY_TOLERANCE * valueMax;
  let isOpaque = true;
  let isGrey = true;
  for (let at = 0; at < pixels.length && (isOpaque || isGrey); at += 4) {
    const [red, green, blue] = [pixels[at] as number, pixels[at + 1] as number, pixels[at + 2] as number];
    if ((pixels[at + 3] as number) < valueMax) isOpaque = false;
    if (Math.max(red, green, blue) - Math.min(red, green, blue) > most) isGrey = false;
  }
  return { isOpaque, isGrey };
}

interface Turn {
  /** Where the first stored pixel is shown. */
  readonly start: number;
  /** How far it is from there to the next stored row, and to the next stored column. */
  readonly rowStep: number;
  readonly columnStep: number;
}

/** @param height  Of the stored picture. Source: Exif 3.0, tag 274: where the stored first row and column are shown. */
function turn(orientation: number, height: number, width: number): Turn {
  const last = height * width - 1;
  switch (orientation) {
    case 2:
      return { start: width - 1, rowStep: width, columnStep: -1 };
    case 3:
      return { start: last, rowStep: -width, columnStep: -1 };
    case 4:
      return { start: last - width + 1, rowStep: -width, columnStep: 1 };
    case 5:
      return { start: 0, rowStep: 1, columnStep: height };
    case 6:
      return { start: height - 1, rowStep: -1, columnStep: height };
    case 7:
      return { start: last, rowStep: -1, columnStep: -height };
    case 8:
      return { start: last - height + 1, rowStep: 1, columnStep: -height };
    default:
      return { start: 0, rowStep: width, columnStep: 1 };
  }
}
