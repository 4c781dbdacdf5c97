import type { CoordinatorPorts } from "../ports/ports.ts";

/** The only page that has a leaf. */
const APP = "participant";

/** Stages `shell.published` if another participant's page is served than the one that was logged last. Rule A54. */
export async function logShell({
  store,
  wall,
  code: { shellHash: hash },
}: Pick<CoordinatorPorts, "store" | "wall" | "code">): Promise<void> {
  if (hash === null) return;
  const newest = (await store.findLeaves("shell.published", APP)).at(-1);
  if (newest?.body["hash"] === hash) return;
  const body = { version: 1, app: APP, hash };
  await store.stageLeaves([{ kind: "shell.published", body }], wall.nowUnixMs());
}
