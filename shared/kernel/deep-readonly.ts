/** `T` with every property, list and tuple in it read-only, as what a schema infers is not. */
export type DeepReadonly<T> = T extends string | number | boolean | null | undefined
  ? T
  : { readonly [Key in keyof T]: DeepReadonly<T[Key]> };
