import { selectPrimitives } from "#shared/crypto/primitives-webcrypto.ts";
import { present } from "#shared/kernel/assert.ts";
import { err, ok, type Result } from "#shared/kernel/result.ts";
import { taskHashOf } from "#shared/task/agreed-config.ts";
import type { Link, Trainer } from "../core/ports.ts";
import type { OpenError, ParticipantOptions } from "../index.ts";
import { BrowserStore } from "./browser-store.ts";
import { ContributionArchive } from "./contribution-archive.ts";
import { ExampleBlocks } from "./example-blocks.ts";
import { ParticipantHere } from "./participant.ts";

const OPEN_MS_MAX = 10_000;
const BLOCKED =
  "The storage of this page does not open: most likely another tab holds it with an older version of the page. Close the other tabs of this page, then try again.";

/**
 * A participant in the task as it is served, or as it was agreed to where the coordinator cannot be reached.
 *
 * @param onStorageEnd  Called when the browser takes the storage away later, with a sentence.
 */
export async function openParticipantHere(
  options: ParticipantOptions,
  link: Link,
  trainer: Trainer,
  onStorageEnd: (sentence: string) => void = () => {},
): Promise<Result<ParticipantHere, OpenError>> {
  const store = new BrowserStore(options.coordinatorUrl, onStorageEnd);
  if (!(await store.opensWithin(OPEN_MS_MAX))) return err({ type: "busy", sentence: BLOCKED });
  const consent = (await store.consents.get(options.task)) ?? null;
  const [status, served] = [await link.fetchStatus(), await link.fetchTask(options.task)];
  if (!served.ok && served.error.type === "refused")
    return err({ type: "no-such-task", sentence: served.error.error.message });
  const offline = !status.ok || !served.ok;
  if (offline && consent === null) {
    return err({
      type: "offline",
      sentence: "The coordinator does not answer. Check the connection and reload.",
    });
  }
  const { task, authority } = offline
    ? present(consent, "checked above")
    : { task: served.value.task, authority: status.value };
  const primitives = await selectPrimitives(globalThis.crypto.subtle);
  const examples = await ExampleBlocks.open(store, options.task);
  const archive = new ContributionArchive(store, options.task);
  // Of what this page shows, not of what the coordinator says that it hashes to.
  const taskHash = await taskHashOf(primitives, task);
  const parts = { options, link, store, trainer, primitives, examples, archive, task, authority };
  const participant = new ParticipantHere(parts, consent, taskHash);
  await participant.restore(offline ? null : served.value.latestModelHash);
  return ok(participant);
}
