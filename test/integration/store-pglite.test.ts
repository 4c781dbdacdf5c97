import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openStore } from "#coordinator/adapters/database/open-store.ts";
import { storeContract } from "./store-contract.ts";

storeContract("the embedded database", async () => {
  const dataDir = await mkdtemp(join(tmpdir(), "chorus-store-"));
  const store = await openStore({ dataDir, snapshotEveryMs: null });
  return {
    store,
    end: async () => {
      await store.close();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
});
