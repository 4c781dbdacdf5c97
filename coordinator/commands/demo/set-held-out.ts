import { createHash } from "node:crypto";
import { present } from "#shared/kernel/assert.ts";
import type { HeldOutCard } from "#shared/task/held-out.ts";
import type { Task } from "#shared/task/task.ts";
import type { Coordinator } from "../../core/coordinator.ts";
import { granted } from "../command.ts";
import type { Part } from "./parts.ts";

/** How often the check is asked after. */
const LOOK_MS = 20;

/**
 * Has a part judge a task's models, by the same upload as anyone's. Nothing happens if it does already.
 *
 * @throws Error with a sentence if it is refused.
 */
export async function setHeldOut(
  { tasks, heldOut }: Pick<Coordinator, "tasks" | "heldOut">,
  task: Task,
  part: Part,
  card: HeldOutCard,
  actor: string,
): Promise<void> {
  const { slug } = task;
  const bytes = Buffer.concat([...part.values()].map((file) => Buffer.from(file)));
  const set = (await tasks.taskView(slug))?.heldOut ?? null;
  if (set?.isUsed === true && set.hash === createHash("sha256").update(bytes).digest("hex")) return;
  const format = part.has("") ? "csv" : "idx";
  const { byteLength: byteCount } = bytes;
  const begun = granted(await heldOut.beginHeldOut(slug, { format, byteCount, card }, actor));
  const body = (async function* () {
    yield bytes;
  })();
  const received = await heldOut.receiveHeldOut(slug, begun.uploadId, { offset: 0, byteCount, body });
  if (!received.ok) throw new Error(received.error.error.message);
  let upload = received.value;
  while (upload.state === "checking") {
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    upload = present(await heldOut.heldOutUpload(slug, upload.uploadId), "the upload was begun");
  }
  if (upload.state !== "set")
    throw new Error(upload.refusal?.error.message ?? "The upload of the held-out rows was stopped.");
}
