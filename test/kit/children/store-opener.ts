import { openStore } from "#coordinator/adapters/database/open-store.ts";

/* Opens the store in a folder and prints "opened" or the reason why not. Argument: the folder. */

try {
  const store = await openStore({ dataDir: process.argv[2] ?? "" });
  await store.close();
  console.log("opened");
} catch (error) {
  console.log(error instanceof Error ? error.message : "no error");
}
