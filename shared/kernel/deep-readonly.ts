/** `T` with every property, list and tuple read-only at all depths; types inferred from schemas are mutable. */
export type DeepReadonly<T> = T extends string | number | boolean | null | undefined
  ? T
  : { readonly [Key in keyof T]: DeepReadonly<T[Key]> };
