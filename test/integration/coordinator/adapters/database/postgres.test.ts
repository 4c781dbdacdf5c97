import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { openStore } from "#coordinator/adapters/database/open-store.ts";
import { storeContract } from "#test/kit/store-contract/index.ts";
import { startPostgres } from "#test/kit/worlds/postgres-server.ts";

const server = await startPostgres();
const scratch = await mkdtemp(join(tmpdir(), "chorus-postgres-store-"));
afterAll(async () => {
  await server?.stop();
  await rm(scratch, { recursive: true, force: true });
});
let folders = 0;
const open = (databaseUrl: string) => openStore({ dataDir: join(scratch, String(++folders)), databaseUrl });

if (server === null) {
  test.skip("PostgreSQL: no server here, see above", () => undefined);
} else {
  storeContract("PostgreSQL", async () => {
    const store = await open(await server.createDatabase());
    return { store, end: () => store.close() };
  });

  describe("several processes on one PostgreSQL", () => {
    test("[D1] share the tables, and one of two writers gets a sequence", async () => {
      const databaseUrl = await server.createDatabase();
      const dataDir = join(scratch, "shared");
      const first = await openStore({ dataDir, databaseUrl });
      const others = await Promise.all([2, 3].map(() => openStore({ dataDir, databaseUrl })));
      const stores = [first, ...others];
      const stream = { kind: "run", id: "a".repeat(32) } as const;
      for (let sequence = 1; sequence <= 20; sequence++) {
        const results = await Promise.all(
          stores.map((store, writer) =>
            store.append(stream, [
              {
                event: { sequence, at: 0, event: { writer } },
                records: [{ type: "audit-leaf", kind: "race", body: { sequence } }],
              },
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

    test("an unreachable server is named, with what to check", async () => {
      const databaseUrl = "postgresql://nobody@127.0.0.1:1/nothing";
      await expect(open(databaseUrl)).rejects.toThrow(/does not answer at DATABASE_URL .* Check/);
    });
  });
}
