/*
 * What the coordinator keeps of people, tokens and devices. Part of `Store`; every implementation passes its contract
 * suite.
 */

/** What rows of access are about. core/access/rows.ts has their schemas. */
export type AccessRowKind =
  | "project"
  | "person"
  | "invitation"
  | "api-token"
  | "join-token"
  | "site"
  | "proposal";

/** A row of access as stored. It is not validated yet. */
export interface StoredAccessRow {
  readonly kind: AccessRowKind;
  readonly id: string;
  readonly body: unknown;
}

/** Written beside an event, in its transaction. Replaces the row; a null body deletes it. */
export interface AccessRowRecord {
  readonly type: "access-row";
  readonly kind: AccessRowKind;
  readonly id: string;
  readonly body: unknown;
}

/** A device that has joined a project by a token. */
export interface EnrolmentRow {
  /** The token that it joined by. */
  readonly tokenId: string;
  /** 64 hex digits. */
  readonly identity: string;
  readonly projectId: string;
  /** Null if it may join every task of the project. */
  readonly task: string | null;
  readonly siteId: string | null;
  readonly enrolledAt: number;
}

export type NewEnrolment = Omit<EnrolmentRow, "tokenId">;

/** What `deleteProjectData` will delete, and the files that only its rows name. */
export interface ProjectData {
  readonly taskCount: number;
  readonly runCount: number;
  readonly roundCount: number;
  /** Of its tasks, which may have held-out rows on the disk. */
  readonly slugs: readonly string[];
  /** Sessions of its rounds, whose uploads may be on the disk. */
  readonly sids: readonly string[];
  /** Models, strategy states, sums and reports that no other project names, as hashes of their blobs. */
  readonly blobHashes: readonly string[];
}

export type EnrolmentsOf =
  | { readonly siteId: string }
  | { readonly identity: string }
  | { readonly tokenId: string };

export interface AccessStore {
  listAccessRows(): Promise<readonly StoredAccessRow[]>;
  /**
   * Uses a join token once and enrols the device, in one transaction. A device that this token has enrolled before uses
   * nothing and keeps its first enrolment.
   *
   * Errors: `spent` if the token has no use left. The caller has checked that it exists and is in force.
   *
   * @param usesMax  At least 1.
   */
  enrol(tokenId: string, usesMax: number, enrolment: NewEnrolment): Promise<"enrolled" | "spent">;
  /** Every enrolment of this identity, oldest first. */
  findEnrolments(identity: string): Promise<readonly EnrolmentRow[]>;
  /**
   * Deletes the enrolments of a site, of an identity or of a join token, so that they must join again. The uses that they took
   * stay taken.
   */
  deleteEnrolments(of: EnrolmentsOf): Promise<void>;
  /** Replaces the row of a site that exists, without an event: when it was last seen is no act. */
  noteSite(siteId: string, body: unknown): Promise<void>;
  /** Number of uses of each join token so far, by its id. Tokens without any are absent. */
  countJoins(): Promise<ReadonlyMap<string, number>>;
  findProjectData(projectId: string): Promise<ProjectData>;
  /**
   * Deletes a project's tasks, runs, rounds, models, uploads, transcripts, evidence, enrolments and join tokens with their
   * events, in one transaction. The audit log, the access stream and the other rows of access stay. The caller has ended
   * its runs and deleted its files, which nothing names afterwards.
   */
  deleteProjectData(projectId: string): Promise<void>;
}
