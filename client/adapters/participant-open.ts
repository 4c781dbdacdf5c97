import { selectPrimitives } from "#shared/crypto/primitives-webcrypto.ts";
import { present } from "#shared/kernel/assert.ts";
import { err, ok, type Result } from "#shared/kernel/result.ts";
import { taskHashOf } from "#shared/task/agreed-config.ts";
import type { ConsentEntry } from "#shared/task/consent-ledger.ts";
import type { OpenError, ParticipantEnd, ParticipantOptions } from "../core/participant/door.ts";
import { openRefusal } from "../core/participant/open-refusal.ts";
import { ParticipantCore } from "../core/participant/participant.ts";
import type { StoredConsent } from "../core/participant/ports.ts";
import { servedModel } from "../core/participant/served-model.ts";
import type { Link, Trainer } from "../core/ports.ts";
import { BrowserStore } from "./browser-store.ts";
import { ContributionArchive } from "./contribution-archive.ts";
import { ExampleBlocks } from "./example-blocks.ts";
import { type ParticipantHere, participantHere } from "./participant-here.ts";
import { platformAfter, platformClock, platformRandom, platformWall } from "./platform-ports.ts";

const OPEN_MS_MAX = 10_000;
const BLOCKED =
  "The storage of this page does not open. Most likely another tab holds it with an older version of the page. Close the other tabs of this page, then try again.";

/**
 * Opens a participant in the task as served, or as agreed to if the coordinator cannot be reached.
 *
 * @param onStorageEnd  Called if the storage is closed later.
 */
export async function openParticipantHere(
  options: ParticipantOptions,
  given: Link,
  trainer: Trainer,
  onStorageEnd: (end: ParticipantEnd) => void = () => {},
): Promise<Result<ParticipantHere, OpenError>> {
  const store = new BrowserStore(options.coordinatorUrl, onStorageEnd);
  if (!(await store.opensWithin(OPEN_MS_MAX))) return err({ type: "busy", sentence: BLOCKED });
  const consent = (await store.consents.get(options.task)) ?? null;
  const joinToken = options.joinToken ?? (await store.joinToken(options.task));
  let bearer: string | null = null;
  const link: Link = {
    ...given,
    show: (token) => {
      bearer = token;
      given.show(token);
    },
  };
  link.show(joinToken ?? null);
  const [status, served] = [await link.fetchStatus(), await link.fetchTask(options.task)];
  for (const answer of [status, served]) {
    const refusal = answer.ok ? null : openRefusal(answer.error, consent !== null);
    if (refusal !== null) return err(refusal);
  }
  if (consent !== null && options.joinToken !== undefined)
    await store.keepJoinToken(options.task, options.joinToken);
  const offline = !status.ok || !served.ok;
  const { task, authority } = offline
    ? present(consent, "checked above")
    : { task: served.value.task, authority: status.value };
  const { invitation } = (offline ? undefined : served.value.settings) ?? task;
  const archived = offline ? null : served.value.archived;
  const archivedAt = archived == null ? null : Date.parse(archived.at);
  const primitives = await selectPrimitives(globalThis.crypto.subtle);
  // The hash of what this page shows, not the hash that the coordinator claims.
  const taskHash = await taskHashOf(primitives, task);
  const belongings = async () => ({
    examples: await ExampleBlocks.open(store, options.task),
    archive: new ContributionArchive(store, options.task, primitives),
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
    consents: {
      // Whoever does not agree leaves nothing here, not even the token.
      put: async (agreed: StoredConsent, entry: ConsentEntry) => {
        await store.changeConsent(agreed.slug, agreed, entry);
        if (joinToken !== undefined) await store.keepJoinToken(agreed.slug, joinToken);
      },
      delete: (slug: string, entry: ConsentEntry) => store.changeConsent(slug, null, entry),
      ledger: (slug: string) => store.consentLedger(slug),
    },
    models: store.modelStore,
    signer: () => store.signer(platformRandom),
    lock: () => takeLock(`chorus ${new URL(options.coordinatorUrl).host}`),
    forget: async () => {
      await store.forget(task.slug);
      return belongings();
    },
  };
  const { roundsMax, backend } = options;
  const coordinator = new URL(options.coordinatorUrl).origin;
  const terms = {
    task,
    taskHash,
    invitation,
    archivedAt,
    authority,
    roundsMax,
    joinToken,
    backend,
    coordinator,
  };
  const core = new ParticipantCore(ports, terms, await belongings(), consent);
  await core.restore(offline ? null : await servedModel(served.value, link));
  return ok(participantHere(core, store.mappingStore(task.slug), () => bearer));
}

/**
 * Lets one tab of this browser take part at a time; the lock is released when the worker ends. @returns null if another
 * tab has it.
 */
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
