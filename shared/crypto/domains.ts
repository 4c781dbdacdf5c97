/**
 * All domain strings of the wire label `chorus/1`. No two uses of a hash, key derivation or signature share one, so a
 * value made for one purpose never verifies for another (S5).
 *
 * A new use gets a new row. A changed meaning gets a new wire label.
 */
export const DOMAINS = {
  // Inputs of the session id.
  header: "chorus/1/header",
  config: "chorus/1/config",
  task: "chorus/1/task",
  layout: "chorus/1/layout",
  roundParams: "chorus/1/round-params",
  roundId: "chorus/1/round-id",
  rotation: "chorus/1/rotation",
  advert: "chorus/1/advert",
  sid: "chorus/1/sid",
  /** Assigns the members of a large round to shards. */
  shardSeed: "chorus/1/shard-seed",
  shard: "chorus/1/shard",
  /** The order of a sparse graph's ring. */
  graph: "chorus/1/graph",
  graphDraw: "chorus/1/graph-draw",
  set: "chorus/1/set",
  // Keys and masks.
  sKey: "chorus/1/s-key",
  pairMask: "chorus/1/pair-mask",
  selfMask: "chorus/1/self-mask",
  shareEnc: "chorus/1/share-enc",
  // Shares and their commitments.
  share: "chorus/1/share",
  bundle: "chorus/1/bundle",
  shareLeaf: "chorus/1/share-leaf",
  bCommit: "chorus/1/b-commit",
  zShareCommit: "chorus/1/z-share-commit",
  bShareCommit: "chorus/1/b-share-commit",
  // Signed messages after sharing.
  input: "chorus/1/input",
  sets: "chorus/1/sets",
  unmask: "chorus/1/unmask",
  complaint: "chorus/1/complaint",
  /** Tokens of upload slots. Only the coordinator uses it. */
  slot: "chorus/1/slot",
  // Identity.
  login: "chorus/1/login",
  certificate: "chorus/1/certificate",
  /** Marks a person in the audit log without naming them. */
  person: "chorus/1/person",
  /** Marks a set of held-out rows in the audit log without naming their bytes. */
  heldOut: "chorus/1/held-out",
  /** Marks the reason of a decision in the audit log without its words. */
  reason: "chorus/1/reason",
  /** Hands a log from one key to the next. */
  logKey: "chorus/1/log-key",
  /** What a coordinator runs and serves. */
  code: "chorus/1/code",
  // Models.
  initialModel: "chorus/1/initial-model",
  void: "chorus/1/void",
  // Transcript.
  signatureLeaf: "chorus/1/signature-leaf",
  transcript: "chorus/1/transcript",
  /** Salted hash of the part of a sum that is not published. */
  evidence: "chorus/1/evidence",
  /** Seals opening shares for an auditor. */
  auditorSeal: "chorus/1/auditor-seal",
  /** Seals evidence and its salt for an auditor. */
  evidenceSeal: "chorus/1/evidence-seal",
  /** Seals a pass to kept rounds for an auditor. */
  auditorPass: "chorus/1/auditor-pass",
} as const;

export type Domain = (typeof DOMAINS)[keyof typeof DOMAINS];
