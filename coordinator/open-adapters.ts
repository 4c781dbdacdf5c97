import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { MonotonicClock, Primitives, RandomBytes } from "#shared/kernel/ports.ts";
import { LIMITS } from "#shared/protocol/limits.ts";
import type { OwnCode } from "#shared/protocol/own-code.ts";
import { openBlobs } from "./adapters/blobs.ts";
import { type InstanceEvents, makeDataFolder, openStore } from "./adapters/database/open-store.ts";
import { openDisk } from "./adapters/disk.ts";
import { createEvaluator } from "./adapters/evaluator.ts";
import { openExporter } from "./adapters/exporter.ts";
import { openFolder } from "./adapters/folder.ts";
import { lockDataFolder } from "./adapters/folder-lock.ts";
import { heldOutFolder, heldOutSetPath, openHeldOutFiles } from "./adapters/held-out/files.ts";
import { openIntake } from "./adapters/intake.ts";
import { openIssuer } from "./adapters/issuer.ts";
import { openMetrics } from "./adapters/metrics.ts";
import { openModels } from "./adapters/models.ts";
import { openSpool } from "./adapters/spool.ts";
import { openWitnesses, type WitnessAddress } from "./adapters/witness/witness-clients.ts";
import type { Log } from "./core/ports/ports.ts";
import { openPublicLog } from "./open-public-log.ts";

/* What a coordinator has of its machine: database, files and threads. */

/** Where its state is. */
export interface StateSettings {
  readonly dataDir: string;
  /** PostgreSQL; undefined for SQLite in `dataDir`. */
  readonly databaseUrl?: string | undefined;
  /** Bytes of models, uploads and held-out rows above which nothing new begins; null for no quota. */
  readonly quotaByteCount?: number | null | undefined;
  readonly log: Log;
  /** Name of the public log; undefined for the one that it has. */
  readonly logOrigin?: string | undefined;
  /** Who is asked to sign the public log; nobody if absent. */
  readonly witnesses?: readonly WitnessAddress[] | undefined;
  /**
   * Called if another coordinator took over the database while this one had lost it. This one serves nothing
   * more, and its process should end with the sentence. The default is an uncaught error.
   */
  readonly onReplaced?: (sentence: string) => void;
}

export interface StatePlatform {
  readonly primitives: Primitives;
  readonly random: RandomBytes;
  readonly clock: MonotonicClock;
  readonly after: (delayMs: number, run: () => void) => () => void;
  /** Of what names no project. */
  readonly projectId: string;
  readonly codeVersion: string;
  readonly code: OwnCode;
}

/** What is to be closed at the end, the newest first. */
export type Closers = (() => Promise<void> | void)[];

/** State of the database's lock. `onLost` reaches the core once that exists. */
export interface Alone {
  isAlone: boolean;
  onLost: (reason: Error) => void;
  onRegained: () => void;
}

export async function openAdapters(
  settings: StateSettings,
  { primitives, random, clock, after, projectId, codeVersion, code }: StatePlatform,
  alone: Alone,
  closers: Closers,
) {
  const { dataDir, databaseUrl, log } = settings;
  const witnesses = await openWitnesses(settings.witnesses ?? []);
  await makeDataFolder(settings);
  const lock = lockDataFolder(dataDir);
  closers.push(() => lock.release());
  await mkdir(heldOutFolder(dataDir), { recursive: true });
  const store = await openStore({
    dataDir,
    databaseUrl,
    log,
    projectId,
    alone: instanceEvents(settings, alone),
  });
  closers.push(() => store.close());
  const publicLog = await openPublicLog({
    store,
    dataDir,
    log,
    primitives,
    random,
    clock,
    after,
    origin: settings.logOrigin,
    witnesses,
  });
  closers.push(() => publicLog.stop());
  await publicLog.open();
  publicLog.start();
  const intake = openIntake();
  closers.push(() => intake.close());
  const [blobs, spool, issuer] = await Promise.all([
    openBlobs(join(dataDir, "blobs")),
    openSpool(join(dataDir, "spool"), primitives, intake),
    openIssuer(dataDir),
  ]);
  const counted = [join(dataDir, "blobs"), join(dataDir, "spool"), heldOutFolder(dataDir)];
  const { quotaByteCount = LIMITS.quotaByteCount } = settings;
  const disk = openDisk({ folder: dataDir, counted, quotaByteCount }, clock);
  const folder = openFolder({ intake });
  closers.push(() => folder.close());
  const models = openModels();
  closers.push(() => models.close());
  const exporter = openExporter();
  closers.push(() => exporter.close());
  const setPath = (slug: string, hash: string) => heldOutSetPath(dataDir, slug, hash);
  const evaluator = createEvaluator(setPath, { version: codeVersion, hash: code.hash });
  closers.push(() => evaluator.close());
  const heldOutFiles = await openHeldOutFiles(dataDir);
  closers.push(() => heldOutFiles.close());
  const metrics = openMetrics();
  closers.push(() => metrics.close());
  metrics.watchLog(publicLog, clock);
  return {
    publicLog,
    store,
    blobs,
    spool,
    disk,
    issuer,
    folder,
    models,
    exporter,
    evaluator,
    heldOutFiles,
    metrics,
  };
}

function instanceEvents({ onReplaced }: StateSettings, alone: Alone): InstanceEvents {
  return {
    onLost: (reason) => {
      alone.isAlone = false;
      alone.onLost(reason);
    },
    onRegained: () => {
      alone.isAlone = true;
      alone.onRegained();
    },
    onTaken:
      onReplaced ??
      ((sentence) => {
        throw new Error(sentence);
      }),
  };
}
