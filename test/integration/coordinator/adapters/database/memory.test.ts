import { memoryStore } from "#test/kit/fakes/memory-store.ts";
import { storeContract } from "#test/kit/store-contract/index.ts";

// The store under the core's tests must behave like the databases.
storeContract("the memory store of the tests", async () => ({
  store: memoryStore(),
  end: async () => undefined,
}));
