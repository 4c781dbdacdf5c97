/** Restricts a list to what its reader may read, so that its pages stay full. */
export interface Readable {
  /** Everything of these projects. */
  readonly projects: "all" | readonly string[];
  /** Also tasks of other projects that anyone may join, and their runs. */
  readonly orPublic: boolean;
}
export const ALL_READABLE: Readable = { projects: "all", orPublic: true };
