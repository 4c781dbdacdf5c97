import type { Store } from "#coordinator/core/store.ts";
import type { Pragmas } from "./connection.ts";

/*
 * Between the coordinator's thread and a store's thread: requests are numbered, each gets one reply.
 *
 * | request | reply value                                              |
 * | ------- | -------------------------------------------------------- |
 * | open    | Opened                                                   |
 * | call    | what the method of the store resolves to                 |
 * | mark    | nothing: the database carries this instance id from here |
 * | close   | nothing                                                  |
 */

/** Methods of the store that cross; each is one message. */
export type Method = Exclude<keyof Store, "kind" | "ping" | "close">;

export type Request =
  | {
      readonly type: "open";
      readonly path: string;
      readonly access: "write" | "read";
      readonly projectId: string;
      /** Where a writing connection notes how far the log has come. */
      readonly markPath: string;
    }
  | { readonly type: "call"; readonly method: Method | "ping"; readonly parameters: readonly unknown[] }
  | { readonly type: "mark"; readonly instanceId: string }
  | { readonly type: "close" };

export interface Opened {
  readonly pragmas: Pragmas;
  /** The instance that the database says it belongs to; always null for a reading connection. */
  readonly instanceId: string | null;
  /** Of the newest event. */
  readonly position: number;
}

export interface NumberedRequest {
  readonly number: number;
  readonly request: Request;
}
export type Reply =
  | { readonly number: number; readonly ok: true; readonly value: unknown }
  | { readonly number: number; readonly ok: false; readonly error: ErrorParts };

/** What of an error crosses: a structured clone keeps neither its name nor its codes. */
export interface ErrorParts {
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
  /** `ERR_SQLITE_ERROR`, or a system error's. */
  readonly code: string | undefined;
  /** SQLite's extended result code. */
  readonly errcode: number | undefined;
}

export function errorToParts(error: unknown): ErrorParts {
  if (!(error instanceof Error))
    return {
      name: "Error",
      message: "a fault that is no Error",
      stack: undefined,
      code: undefined,
      errcode: undefined,
    };
  const { name, message, stack } = error;
  const { code, errcode } = error as { readonly code?: unknown; readonly errcode?: unknown };
  return {
    name,
    message,
    stack,
    code: typeof code === "string" ? code : undefined,
    errcode: typeof errcode === "number" ? errcode : undefined,
  };
}

export function errorFromParts({ name, message, stack, code, errcode }: ErrorParts): Error {
  const error = new Error(message);
  error.name = name;
  if (stack !== undefined) error.stack = stack;
  return Object.assign(error, code === undefined ? {} : { code }, errcode === undefined ? {} : { errcode });
}
