import { afterAll, beforeAll, describe } from "vitest";
import type { Store } from "#coordinator/core/ports/store.ts";
import { accessContract } from "./access.ts";
import { artifactContract } from "./artifacts.ts";
import { authRecordContract } from "./auth-records.ts";
import { deletionContract } from "./deletion.ts";
import { eventLogContract } from "./event-log.ts";
import { evidenceContract } from "./evidence.ts";
import { leafContract } from "./leaves.ts";
import { ownSearchContract } from "./own-search.ts";
import { placeContract } from "./places.ts";
import { registryContract } from "./registry.ts";
import { runContract } from "./runs.ts";
import { settingContract } from "./settings.ts";
import { taskContract } from "./tasks.ts";
import { trackingContract } from "./tracking.ts";
import { transcriptContract } from "./transcripts.ts";
import { uploadContract } from "./uploads.ts";

/** What every implementation of `Store` must do, role by role: memory, SQLite, PostgreSQL. */
export function storeContract(
  name: string,
  open: () => Promise<{ store: Store; end: () => Promise<void> }>,
): void {
  describe(name, () => {
    let opened: Awaited<ReturnType<typeof open>> | undefined;
    beforeAll(async () => {
      opened = await open();
    });
    afterAll(() => opened?.end());
    const suite = {
      get store(): Store {
        if (opened === undefined) throw new Error("the store is opened before the tests");
        return opened.store;
      },
    };
    eventLogContract(suite);
    taskContract(suite);
    runContract(suite);
    registryContract(suite);
    uploadContract(suite);
    transcriptContract(suite);
    evidenceContract(suite);
    settingContract(suite);
    accessContract(suite);
    placeContract(suite);
    leafContract(suite);
    deletionContract(suite);
    authRecordContract(suite);
    trackingContract(suite);
    ownSearchContract(suite);
    artifactContract(suite);
  });
}
