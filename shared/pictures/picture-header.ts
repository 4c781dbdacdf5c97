/** What a file says about its picture, read without decoding it. */
export interface PictureHeader {
  readonly format: "png" | "jpeg" | "webp";
  /** Size as stored, before it is turned. */
  readonly width: number;
  readonly height: number;
  /** How to turn it, 1 to 8; 1 is upright. Source: Exif 3.0, tag 274. */
  readonly orientation: number;
  /** A PNG file with 16 bits a value. */
  readonly isDeep: boolean;
  /** What the decoder needs, and nothing else: no colour profile, no text, no thumbnail. */
  readonly essence: Uint8Array;
}
