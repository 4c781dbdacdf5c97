import type { HashHex, LogHead } from "../protocol/ids.ts";

/** What a device remembers of a public log. */
export interface SeenLog extends LogHead {
  /** The newest key that the device followed, in hex. */
  readonly key: HashHex;
  /** The signed note itself, as evidence if another one contradicts it. */
  readonly checkpoint: string;
}
