import { selectPrimitives } from "#shared/crypto/primitives-webcrypto.ts";
import { present } from "#shared/kernel/assert.ts";
import { err, ok, type Result } from "#shared/kernel/result.ts";
import { taskHashOf } from "#shared/task/agreed-config.ts";
import { ParticipantCore } from "../core/participant/participant.ts";
import type { Link, Trainer } from "../core/ports.ts";
import type { OpenError, ParticipantOptions } from "../index.ts";
import { BrowserStore } from "./browser-store.ts";
import { ContributionArchive } from "./contribution-archive.ts";
import { ExampleBlocks } from "./example-blocks.ts";
import { type ParticipantHere, participantHere } from "./participant-here.ts";
import { platformAfter, platformClock, platformRandom, platformWall } from "./platform-ports.ts";

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
  // Of what this page shows, not of what the coordinator says that it hashes to.
  const taskHash = await taskHashOf(primitives, task);
  const belongings = async () => ({
    examples: await ExampleBlocks.open(store, options.task),
    archive: new ContributionArchive(store, options.task),
  });
  const ports = {
    link,
    trainer,
    primitives,
    random: platformRandom,
    clock: platformClock,
    wall: platformWall,
    after: platformAfter,
    cells: store,
    consents: store.consents,
    models: store.modelStore,
    signer: () => store.signer(platformRandom),
    lock: () => takeLock(`chorus ${new URL(options.coordinatorUrl).host}`),
    forget: async () => {
      await store.forget(task.slug);
      return belongings();
    },
  };
  const { roundsMax, joinToken, backend } = options;
  const terms = { task, taskHash, authority, roundsMax, joinToken, backend };
  const core = new ParticipantCore(ports, terms, await belongings(), consent);
  await core.restore(offline ? null : served.value.latestModelHash);
  return ok(participantHere(core));
}

/** One tab of this browser takes part at a time; the lock ends with the worker. @returns null if another one has it. */
function takeLock(name: string): Promise<(() => void) | null> {
  return new Promise((resolve, reject) => {
    navigator.locks
      .request(name, { ifAvailable: true }, (lock) => {
        if (lock === null) return resolve(null);
        return new Promise<void>((release) => resolve(release));
      })
      .catch(reject);
  });
}
