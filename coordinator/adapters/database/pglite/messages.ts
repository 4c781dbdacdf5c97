/*
 * Between the coordinator's thread and the thread that PGlite runs in: requests are numbered, each gets one reply.
 *
 * | request  | reply value                    |
 * | -------- | ------------------------------ |
 * | open     | nothing                        |
 * | query    | QueryReply                     |
 * | begin    | nothing; queries then belong to the transaction until commit or rollback |
 * | commit   | nothing                        |
 * | rollback | nothing                        |
 * | dump     | nothing; `path` holds a gzipped tar of the database folder |
 * | close    | nothing                        |
 */
export type Request =
  | { readonly type: "open"; readonly folder: string; readonly loadFrom: string | null }
  | { readonly type: "query"; readonly text: string; readonly parameters: readonly unknown[] }
  | { readonly type: "begin" }
  | { readonly type: "commit" }
  | { readonly type: "rollback" }
  | { readonly type: "dump"; readonly path: string }
  | { readonly type: "close" };

export interface QueryReply {
  readonly rows: readonly unknown[];
  readonly affectedRows: number | undefined;
}

export interface NumberedRequest {
  readonly number: number;
  readonly request: Request;
}
export type Reply =
  | { readonly number: number; readonly ok: true; readonly value: unknown }
  | { readonly number: number; readonly ok: false; readonly error: ReplyError };

/** What a database error carries across; `code` is PostgreSQL's SQLSTATE. */
export interface ReplyError {
  readonly message: string;
  readonly code: string | null;
  readonly detail: string | null;
  readonly constraint: string | null;
}
