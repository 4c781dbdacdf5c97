import type { Endpoint } from "#coordinator/adapters/http/endpoint.ts";
import { WHO_MAY } from "../../who-may.ts";
import type { Account } from "../../worlds/accounts.ts";
import type { Expectation } from "./kinds.ts";
import { type RawRequest, withHeader } from "./request.ts";

/*
 * Who asks. Kinds 17 to 19 follow from `WHO_MAY`, which is written by hand, and from everybody who has an account. What
 * an endpoint says it is about is not asked: a good request that names something of the task is about the task.
 */

/** Header of a case, in place of the credentials of this account. The sender puts them in. */
const AS = "chorus-test-account";

export function asAccount(name: string): Readonly<Record<string, string>> {
  return { [AS]: name };
}

/** The same request by this account, or by nobody. */
export function withAccount(request: RawRequest, name: string | null): RawRequest {
  return withHeader(request, AS, name);
}

/** The request with the credentials of its account, if it has one. */
export async function withCredentials(
  request: RawRequest,
  headersOf: (account: string) => ReturnType<Account["headers"]>,
): Promise<RawRequest> {
  const name = request.headers.find(([header]) => header === AS)?.[1];
  if (name === undefined) return request;
  const bare = withHeader(request, AS, null);
  return { ...bare, headers: [...bare.headers, ...(await headersOf(name))] };
}

/** What a good request names: a task, or something of it; a project; nothing of either. */
export type GoodAbout = "public-task" | "task-by-invitation" | "project" | "whole";

const COLUMNS = { "public-task": 0, "task-by-invitation": 1, project: 0, whole: 2 } as const;
const WHOLE = COLUMNS.whole;

/**
 * The statuses with which an endpoint may refuse this account; null if it is not to refuse it.
 *
 * For whoever may not even read a task, what belongs to it does not exist (X32).
 */
export function refusalsOf(
  { permission }: Pick<Endpoint, "permission">,
  about: GoodAbout,
  letter: string,
): readonly number[] | null {
  // A token that is not in force is refused even where none is needed.
  if (letter === "!") return [401];
  const row = WHO_MAY[permission];
  const column = COLUMNS[about];
  if (letter === "" || row[column].includes(letter)) return null;
  const refusal = PEOPLE.includes(letter) ? 403 : 401;
  if (!row[WHOLE].includes(letter)) return [refusal];
  // Whoever has no part in a project may hear that a name in it is taken.
  if (about === "project") return [refusal, 404, 409];
  // The task itself says that it is by invitation.
  if (permission === "tasks.read") return [403];
  return [WHO_MAY["tasks.read"][column].includes(letter) ? refusal : 404];
}

/** Whether the account of good requests may do this: all but what devices alone may. */
export function isHeldByGood({ permission }: Pick<Endpoint, "permission">): boolean {
  return /[nau]/.test(WHO_MAY[permission][WHOLE]);
}

/** Letters of those whom signing in would not help. */
const PEOPLE = "deruaopzs123456";
/** Letters of those who act for another project. */
const STRANGERS = "opx6";

/** Who is refused, and the kind that shows it. */
export interface PrincipalCase {
  readonly name: string;
  readonly kind: 17 | 18 | 19;
  readonly statuses: readonly number[];
}

export function principalCases(
  endpoint: Endpoint,
  about: GoodAbout,
  accounts: readonly Account[],
): readonly PrincipalCase[] {
  return accounts.flatMap(({ name, letter }) => {
    const statuses = refusalsOf(endpoint, about, letter);
    if (statuses === null) return [];
    const kind = letter === "!" || letter === "w" ? 19 : STRANGERS.includes(letter) ? 17 : 18;
    return [{ name, kind, statuses }];
  });
}

interface TokenCase {
  readonly name: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly expect: Expectation;
}

/** Tokens that are no one's. A write that everyone may do is left out: it would be done. */
export function tokenCases(
  { method, permission }: Pick<Endpoint, "method" | "permission">,
  headers: Readonly<Record<string, string>>,
): readonly TokenCase[] {
  const slot = "chorus-slot" in headers ? [{ "chorus-slot": "A".repeat(43) }, { "chorus-slot": "" }] : [];
  const isOpen = WHO_MAY[permission][WHOLE].includes("n");
  const cookies = [
    { cookie: `chorus-local=${"A".repeat(43)}` },
    { cookie: `__Host-chorus=${"A".repeat(43)}` },
  ];
  const cases = [
    ...slot.map((wrong) => ({ headers: wrong, expect: "refused" as const })),
    ...["Bearer chorus_made-up", "Bearer", `Basic ${Buffer.from("admin:admin").toString("base64")}`].map(
      (authorization) => ({ headers: { authorization }, expect: "refused" as const }),
    ),
    ...(isOpen && method !== "get" ? [] : cookies).map((wrong) => ({
      headers: wrong,
      expect: isOpen ? ("harmless" as const) : ("refused" as const),
    })),
  ];
  return cases.map((wrong) => ({ name: Object.values<string>(wrong.headers)[0] ?? "", ...wrong }));
}
