import type { StoreRecord } from "#coordinator/core/ports/ports.ts";
import { storeRecords } from "#coordinator/core/rounds/records.ts";
import { openSessions, type Session } from "#coordinator/core/rounds/session.ts";
import { openSlots } from "#coordinator/core/rounds/slots.ts";
import { taskSlugSchema } from "#shared/protocol/ids.ts";
import type { Step } from "#shared/round/effect.ts";
import type { RoundOpened } from "#shared/round/event.ts";
import type { RoundState } from "#shared/round/state.ts";
import { fakePrimitives, fakeSigner } from "./fakes/fake-primitives.ts";
import { memoryStore } from "./fakes/memory-store.ts";
import { seededRandom, TEST_CODE, TEST_TRAINING, testConfig } from "./secagg-fixtures.ts";

/** Makes the store's records of a round, event by event, like its driver; writes nothing. */
export async function recordWriter({ runId, round, parentModelHash, rules }: RoundOpened) {
  const primitives = fakePrimitives();
  const random = seededRandom("records");
  const ports = {
    primitives,
    random,
    store: memoryStore(),
    issuer: fakeSigner(random(32)),
    projectId: "default",
    codeVersion: "test",
    code: TEST_CODE,
  };
  const { cohortSizeMin, cohortSizeMax, securityModel, graph } = rules;
  const config = testConfig({ cohortSizeMin, cohortSizeMax, securityModel, graph });
  const terms = {
    runId,
    round,
    modelHash: parentModelHash,
    config,
    roundParams: { purpose: "train" as const, training: TEST_TRAINING },
  };
  const slots = await openSlots(ports);
  const known = new Map<number, Promise<readonly Session[]>>();
  const sessions = (attempt: number, state: RoundState) => {
    const before = known.get(attempt);
    if (before !== undefined) return before;
    if (!("roster" in state) || state.attempt !== attempt) throw new Error(`no roster of attempt ${attempt}`);
    const opened = openSessions(ports, terms, state, true);
    known.set(attempt, opened);
    return opened;
  };
  return async ({ records }: Step): Promise<StoreRecord[]> => {
    const source = {
      ports,
      terms: { task: { slug: taskSlugSchema.parse("digits") }, layout: { length: 10 } },
      slots,
      sessions,
    };
    const all: StoreRecord[] = [];
    for (const record of records) all.push(...(await storeRecords(source, record)));
    return all;
  };
}
