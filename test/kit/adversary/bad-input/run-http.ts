import type { Endpoint } from "#coordinator/adapters/http/endpoint.ts";
import { present } from "#shared/kernel/assert.ts";
import type { WholeShell } from "../../worlds/whole-shell.ts";
import type { RawAnswer } from "../raw-http.ts";
import { isHeldByGood, withCredentials } from "./credentials.ts";
import { httpCases } from "./http-cases.ts";
import { httpWorldOf } from "./http-world.ts";
import { KIND_NUMBERS, type Kind } from "./kinds.ts";
import { type RawRequest, requestOf, write } from "./request.ts";
import { send } from "./send.ts";
import type { HttpCase } from "./subject.ts";
import { complaintsAbout } from "./verdict.ts";

/** A case whose answer is not as promised. */
export interface Finding {
  readonly kind: Kind;
  readonly about: string;
  readonly complaint: string;
}

export interface Tried {
  readonly findings: readonly Finding[];
  readonly caseCount: number;
}

/** Requests at once. More would wait in the queue of reads. */
const AT_ONCE = 8;

/** Sends all thirty kinds, or these, to an endpoint of this world. */
export async function tryEndpoint(
  endpoint: Endpoint,
  world: WholeShell,
  kinds: readonly Kind[] = KIND_NUMBERS,
): Promise<Tried> {
  const row = httpCases(endpoint, httpWorldOf(endpoint, world));
  const findings: Finding[] = [];
  let caseCount = 0;
  for (const kind of kinds) {
    const cell = row[kind];
    if ("reason" in cell) continue;
    caseCount += cell.cases.length;
    findings.push(...(await tryKind(kind, cell.cases, endpoint, world)));
  }
  return { findings, caseCount };
}

/** A few at once, those to be refused by themselves. If all of them were refused, nothing may have changed. */
async function tryKind(
  kind: Kind,
  cases: readonly HttpCase[],
  endpoint: Endpoint,
  world: WholeShell,
): Promise<Finding[]> {
  const findings: Finding[] = [];
  const toRefuse = cases.filter((one) => one.expect === "refused");
  const others = cases.filter((one) => one.expect !== "refused");
  for (const batch of [...batchesOf(toRefuse), ...batchesOf(others)]) {
    const before = world.digest();
    const answered = await answersTo(batch, world);
    findings.push(...answered.flatMap((one) => findingsOf(kind, one, endpoint)));
    const areRefused = answered.every(({ answer: { status } }) => status === 0 || status >= 400);
    await world.federation.inFlight.settle();
    const isChanged = (areRefused || endpoint.method === "get") && world.digest() !== before;
    const about = answered.map(({ one }) => one.about).join("; ");
    if (isChanged) findings.push({ kind, about, complaint: "something changed" });
  }
  return findings;
}

function batchesOf(cases: readonly HttpCase[]): (readonly HttpCase[])[] {
  const count = Math.ceil(cases.length / AT_ONCE);
  return Array.from({ length: count }, (_, index) => cases.slice(index * AT_ONCE, (index + 1) * AT_ONCE));
}

interface Answered {
  readonly one: HttpCase;
  readonly answer: RawAnswer;
  readonly tookMs: number;
}

async function answersTo(cases: readonly HttpCase[], world: WholeShell): Promise<Answered[]> {
  for (const account of world.accounts) await account.keep?.();
  world.rest();
  const requests: RawRequest[] = [];
  // One after the other: two must not open the same session anew.
  for (const { request } of cases) requests.push(await withCredentials(request, world.headersOf));
  const beganMs = performance.now();
  return Promise.all(
    cases.map(async (one, index) => {
      const request = present(requests[index], "a request of each case");
      const answer = await send(world.shell.port, request, one.cutAfter);
      return { one, answer, tookMs: performance.now() - beganMs };
    }),
  );
}

function findingsOf(kind: Kind, { one, answer, tookMs }: Answered, { dialect }: Endpoint): Finding[] {
  return complaintsAbout(one, answer, dialect.error, tookMs).map((complaint) => ({
    kind,
    about: one.about,
    complaint,
  }));
}

/**
 * Sends an endpoint its good request, as the control of all that is refused. `taken`: it has what was asked for;
 * `none`: the world has nothing of the kind; `wrong`: the request was not good.
 */
export async function tryGood(
  endpoint: Endpoint,
  world: WholeShell,
): Promise<RawAnswer & { readonly outcome: "taken" | "none" | "wrong" }> {
  const { good } = httpWorldOf(endpoint, world);
  world.rest();
  const request = await withCredentials(requestOf(endpoint, write(good)), world.headersOf);
  const answer = await send(world.shell.port, request);
  await world.federation.inFlight.settle();
  const { status } = answer;
  const isTaken = isHeldByGood(endpoint) ? status >= 200 && status < 300 : status === 403;
  // The world has no secrets that a schema could tell.
  const isUnknown = status === 404 || /"code":"(?:TOKEN_ENDED|WRONG_CREDENTIALS)"/.test(answer.body);
  return { ...answer, outcome: isTaken ? "taken" : isUnknown ? "none" : "wrong" };
}

/** Those that end a run, a round or a task come last. */
export function inGentleOrder(endpoints: readonly Endpoint[]): readonly Endpoint[] {
  const ranks = { put: 0, get: 1, post: 2, patch: 2, delete: 4 };
  const rankOf = ({ method, path }: Endpoint) =>
    method === "post" && /\/(?:archive|delete|rename)$/.test(path) ? 3 : ranks[method];
  return [...endpoints].sort((left, right) => rankOf(left) - rankOf(right));
}
