/*
 * Calls between two threads over messages: a page and its worker, a trainer and its engine, the coordinator and its
 * threads. Each call has a number and gets one answer.
 *
 * | from   | kind   | carries                                              |
 * | ------ | ------ | ---------------------------------------------------- |
 * | caller | call   | id, request                                          |
 * | worker | done   | id, value                                            |
 * | worker | failed | id, the parts of an error that a clone would lose    |
 *
 * By hand, because comlink leaves calls pending forever if the worker dies, and drops an error's code. Both matter (E3).
 */

export interface Call<Request> {
  readonly kind: "call";
  readonly id: number;
  readonly request: Request;
}

export type Answer<Value> =
  | { readonly kind: "done"; readonly id: number; readonly value: Value }
  | { readonly kind: "failed"; readonly id: number; readonly error: ErrorParts };

interface ErrorParts {
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
  /** Of a system error, or `ERR_SQLITE_ERROR`. */
  readonly code: string | undefined;
  /** SQLite's extended result code. */
  readonly errcode: number | undefined;
}

/** @param handedOver  Buffers that move to the other side instead of being copied. */
export type Post<Message> = (message: Message, handedOver: readonly ArrayBuffer[]) => void;

interface Waiting {
  readonly resolve: (value: never) => void;
  readonly reject: (error: Error) => void;
}

/** The caller's side. Every call settles: with its answer, or when the other side has ended. */
export class Calls<Request> {
  readonly #post: Post<Call<Request>>;
  readonly #waiting = new Map<number, Waiting>();
  #newestId = 0;
  #ended: Error | null = null;

  constructor(post: Post<Call<Request>>) {
    this.#post = post;
  }

  /** The id of the newest call, for messages about it; 0 before the first. */
  get newestId(): number {
    return this.#newestId;
  }

  /** Rejects with the other side's error, with what `post` throws, or with the reason given to `end`. */
  async ask<Value>(request: Request, handedOver: readonly ArrayBuffer[] = []): Promise<Value> {
    if (this.#ended !== null) throw this.#ended;
    const id = ++this.#newestId;
    const answered = new Promise<Value>((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
    try {
      this.#post({ kind: "call", id, request }, handedOver);
    } catch (error) {
      this.#waiting.delete(id);
      throw error;
    }
    return answered;
  }

  /** Ignores an answer that nobody waits for. */
  hear(answer: Answer<unknown>): void {
    const waiting = this.#waiting.get(answer.id);
    this.#waiting.delete(answer.id);
    if (answer.kind === "done") waiting?.resolve(answer.value as never);
    else waiting?.reject(errorFromParts(answer.error));
  }

  /** Rejects pending calls and all later ones. Only the first reason counts. */
  end(reason: Error): void {
    this.#ended ??= reason;
    for (const { reject } of this.#waiting.values()) reject(this.#ended);
    this.#waiting.clear();
  }
}

/**
 * The worker's side: answers one call. Never rejects, unless even the error cannot be posted.
 *
 * @param handOver  Buffers of a value that this side no longer needs.
 */
export async function answerCall<Request, Value>(
  { id, request }: Call<Request>,
  work: (request: Request) => Value | Promise<Value>,
  post: Post<Answer<Value>>,
  handOver: (value: Value) => readonly ArrayBuffer[] = () => [],
): Promise<void> {
  try {
    const value = await work(request);
    post({ kind: "done", id, value }, handOver(value));
  } catch (error) {
    post({ kind: "failed", id, error: errorToParts(error) }, []);
  }
}

/** Makes no string of a thrown value that is not an error. */
function errorToParts(error: unknown): ErrorParts {
  if (!(error instanceof Error)) {
    const message = "a value other than an Error was thrown";
    return { name: "Error", message, stack: undefined, code: undefined, errcode: undefined };
  }
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

function errorFromParts({ name, message, stack, code, errcode }: ErrorParts): Error {
  const error = new Error(message);
  error.name = name;
  if (stack !== undefined) error.stack = stack;
  return Object.assign(error, code === undefined ? {} : { code }, errcode === undefined ? {} : { errcode });
}
