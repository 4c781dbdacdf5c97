import { afterAll, describe, expect, test } from "vitest";
import { openStore } from "#coordinator/adapters/database/open-store.ts";
import { startPostgres } from "#test/kit/postgres-server.ts";
import { storeContract } from "./store-contract.ts";

const server = await startPostgres();
afterAll(() => server?.stop());

if (server === null) {
  test.skip("PostgreSQL: no server here, see above", () => undefined);
} else {
  storeContract("PostgreSQL", async () => {
    const store = await openStore({ databaseUrl: await server.createDatabase() });
    return { store, end: () => store.close() };
  });

  describe("several processes on one PostgreSQL", () => {
    test("make the tables once, and one of two writers gets a sequence", async () => {
      const databaseUrl = await server.createDatabase();
      const stores = await Promise.all([1, 2, 3].map(() => openStore({ databaseUrl })));
      const stream = { kind: "run", id: "a".repeat(32) } as const;
      for (let sequence = 1; sequence <= 20; sequence++) {
        const results = await Promise.all(
          stores.map((store, writer) =>
            store.append(stream, { sequence, at: 0, event: { writer } }, [
              { type: "audit-leaf", kind: "race", body: { sequence } },
            ]),
          ),
        );
        expect(results.filter((result) => result.ok)).toHaveLength(1);
      }
      const leaves = (await stores[0]?.auditLeaves({ limit: 100 }))?.items ?? [];
      expect(leaves.map((leaf) => leaf.body)).toEqual(
        Array.from({ length: 20 }, (_, i) => ({ sequence: i + 1 })),
      );
      await Promise.all(stores.map((store) => store.close()));
    });

    test("a server that is not there is named with what to check", async () => {
      const databaseUrl = "postgresql://nobody@127.0.0.1:1/nothing";
      await expect(openStore({ databaseUrl })).rejects.toThrow(/does not answer at DATABASE_URL .* Check/);
    });
  });
}
