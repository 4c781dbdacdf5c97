import { memoryStore } from "#test/kit/memory-store.ts";
import { storeContract } from "#test/kit/store-contract/index.ts";

// What the core's tests stand on must behave as the databases do.
storeContract("the memory store of the tests", async () => ({
  store: memoryStore(),
  end: async () => undefined,
}));
