import type { Json } from "#shared/codec/canonical-json.ts";
import { bytesToHex } from "#shared/kernel/bytes.ts";
import { configHash } from "#shared/secagg/attempt.ts";
import { agreedConfigOf } from "#shared/task/agreed-config.ts";
import type { AgreedConfig } from "#shared/task/config.ts";
import type { Task } from "#shared/task/task.ts";
import type { CoordinatorPorts } from "../ports/ports.ts";
import { authorityOf, type TermsPorts } from "./terms.ts";

/** The leaf `task.published` of a new version. With a public log it states what devices agree to. */
export async function taskLeaf(
  ports: TermsPorts,
  task: Task,
  taskHash: string,
): Promise<Readonly<Record<string, Json>>> {
  const { slug, version: taskVersion } = task;
  const body = { version: 1, slug, taskVersion, taskHash };
  if (ports.publicLog == null) return body;
  const config = await agreedConfigOf(ports.primitives, task, authorityOf(ports));
  return Object.assign(body, { configHash: bytesToHex(await configHash(ports.primitives, config)) });
}

/**
 * Stages `task.published` for what devices now agree to, unless it was staged before. The code, the keys or the log may have
 * changed since the version was made, and with them its config. Rule A40.
 */
export async function logAgreement(
  { store, wall, publicLog }: Pick<CoordinatorPorts, "store" | "wall" | "publicLog">,
  { config, configHash: hash }: { readonly config: AgreedConfig; readonly configHash: string },
): Promise<void> {
  if (publicLog == null || (await publicLog.find("task.published", hash)) !== null) return;
  const { task: slug, taskVersion, taskHash } = config;
  const body = { version: 1, slug, taskVersion, taskHash, configHash: hash };
  await store.stageLeaves([{ kind: "task.published", body }], wall.nowUnixMs());
}
