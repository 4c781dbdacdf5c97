/**
 * Layers that people ask for and that no task may have, with the reason as pages and the import of a model give it, and
 * what to use instead. Whatever is in neither this list nor `list.ts` is refused without a reason.
 *
 * Sources for batch normalization: Hsieh et al. 2020, arXiv:1910.00189 (it diverges on devices whose data differ); its
 * moving mean and variance are statistics of a device's rows, and no segment of the vector bounds what they say of one row.
 */
export const REFUSED_LAYERS: ReadonlyMap<
  string,
  { readonly reason: string; readonly instead: string; readonly replacement: string }
> = new Map([
  [
    "BatchNormalization",
    {
      reason:
        "its running means and variances are statistics of a device’s own rows, so they would leave the device, and they diverge between devices whose data differ",
      instead: "LayerNormalization, which looks at one row at a time",
      replacement: "LayerNormalization",
    },
  ],
]);

/** Why no task may have the layer, and what would do; null if nothing is said about it. */
export function layerRefusal(className: string): string | null {
  const refused = REFUSED_LAYERS.get(className);
  return refused === undefined
    ? null
    : `${className} is not taken: ${refused.reason}. Use ${refused.instead}, or leave it out`;
}
