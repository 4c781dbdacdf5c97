import type * as enrolment from "#client/core/enrolment/enrolment.ts";
import type * as memory from "#client/core/memory.ts";
import * as javascript from "#shared/crypto/primitives-javascript.ts";
import * as coordinatorMessages from "#shared/protocol/messages/coordinator.ts";
import * as attempt from "#shared/secagg/attempt.ts";
import * as client from "#shared/secagg/client.ts";
import * as opening from "#shared/secagg/opening.ts";
import * as positionSets from "#shared/secagg/position-sets.ts";
import * as server from "#shared/secagg/server.ts";
import * as signedItems from "#shared/secagg/signed-items.ts";
import * as decode from "#shared/vector/decode.ts";
import * as layout from "#shared/vector/layout.ts";
import type { Planted } from "./planted.ts";

/** The modules that a cohort runs on: the product's, or those of a copy without a counter-measure. */
export interface Engine {
  readonly attempt: typeof attempt;
  readonly client: typeof client;
  readonly coordinatorMessages: typeof coordinatorMessages;
  readonly decode: typeof decode;
  readonly layout: typeof layout;
  readonly javascript: typeof javascript;
  readonly opening: typeof opening;
  readonly positionSets: typeof positionSets;
  readonly server: typeof server;
  readonly signedItems: typeof signedItems;
  /** The modules that a page runs on, loaded on demand. */
  readonly core: () => Promise<ClientCore>;
}
export type ClientCore = Pick<typeof memory, "createMemory"> & Pick<typeof enrolment, "createEnrolment">;

export const PRODUCT: Engine = {
  attempt,
  client,
  coordinatorMessages,
  decode,
  layout,
  javascript,
  opening,
  positionSets,
  server,
  signedItems,
  core: async () => ({
    ...(await import("#client/core/memory.ts")),
    ...(await import("#client/core/enrolment/enrolment.ts")),
  }),
};

export async function engineOf(planted: Planted): Promise<Engine> {
  const load = <Module>(name: string) => planted.load<Module>(`shared/secagg/${name}.ts`);
  return {
    attempt: await load("attempt"),
    client: await load("client"),
    coordinatorMessages: await planted.load("shared/protocol/messages/coordinator.ts"),
    decode: await planted.load("shared/vector/decode.ts"),
    layout: await planted.load("shared/vector/layout.ts"),
    javascript: await planted.load("shared/crypto/primitives-javascript.ts"),
    opening: await load("opening"),
    positionSets: await load("position-sets"),
    server: await load("server"),
    signedItems: await load("signed-items"),
    core: async () => ({
      ...(await planted.load<typeof memory>("client/core/memory.ts")),
      ...(await planted.load<typeof enrolment>("client/core/enrolment/enrolment.ts")),
    }),
  };
}
