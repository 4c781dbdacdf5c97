import { type Imported, type ImportRefusal, refuseImport } from "#shared/data/report.ts";
import type { Bytes } from "#shared/kernel/bytes.ts";
import type { Result } from "#shared/kernel/result.ts";
import type { ParticipantCore } from "../core/participant/participant.ts";
import type { MappingStore } from "../core/participant/ports.ts";
import type { Slices } from "../core/slices.ts";
import type { ParticipantView } from "../core/view.ts";
import { createFileReading } from "./file-reading.ts";
import { importSet, nameOfSet } from "./import-set.ts";
import { importDrawing, importPicture, importPictures } from "./imports.ts";
import { pagePictureCodecs } from "./page-codecs.ts";
import { platformDecoder } from "./platform-ports.ts";
import { TableDesk } from "./table-desk.ts";
import type { Actions } from "./worker-rpc.ts";

/** A participant in this thread. */
export interface ParticipantHere {
  readonly view: Slices<ParticipantView>;
  readonly actions: Actions;
  setHidden(hidden: boolean): void;
}

/**
 * Implements the door's actions over the core: reads the person's files, and makes files of what the core packs.
 *
 * @param bearer  The token that HTTP requests show now.
 */
export function participantHere(
  core: ParticipantCore,
  mappings: MappingStore,
  bearer: () => string | null,
): ParticipantHere {
  const { features } = core.view.get().task.task;
  const codecs = pagePictureCodecs();
  const tables = new TableDesk(core, mappings);
  const reading = createFileReading(core.view);
  /** Reads and stores. A file that cannot be read any more and a full disk are refusals like any other. */
  const add = async (name: string, read: () => Promise<Result<Imported, ImportRefusal>>) => {
    try {
      return await core.add(name, await read());
    } catch (fault) {
      const refusal = storageRefusal(fault);
      if (refusal === null) throw fault;
      return core.add(name, refusal);
    }
  };
  return {
    view: core.view,
    setHidden: (hidden) => core.setHidden(hidden),
    actions: {
      agree: (version, words) => core.agree(version, words),
      withdraw: () => core.withdraw(),
      readTable: (file, mapping, set) => tables.read(file, mapping, set),
      addTable: (remember) => tables.add(remember),
      dropTable: async () => tables.drop(),
      leftOutRows: () => tables.leftOutRows(),
      addDrawing: (pixels, label) => add("drawing", async () => importDrawing(pixels, label, features)),
      addImages: async (files, label) => {
        const name = nameOfSet(files);
        return add(name, () =>
          reading.run(name, (onProgress) => importPictures(files, label, features, { codecs, onProgress })),
        );
      },
      addSet: async (files, set) => {
        const name = nameOfSet(files);
        return add(name, () =>
          reading.run(name, (onProgress) =>
            importSet(files, features, { codecs, openDecoder: platformDecoder, set, onProgress }),
          ),
        );
      },
      stopReading: async () => reading.stop(),
      readPicture: (file) => importPicture(file, features, { codecs }),
      removeExample: (id) => core.removeExample(id),
      start: () => core.start(),
      pause: () => core.pause(),
      resume: () => core.start(),
      leave: () => core.leave(),
      trustLogAnew: () => core.trustLogAnew(),
      deleteMyData: () => core.deleteMyData(),
      setBackend: (backend) => core.setBackend(backend),
      predict: (input) => core.predict(input),
      heldBufferCount: () => core.heldBufferCount(),
      bearer: async () => bearer(),
      contribution: (id) => core.contribution(id),
      receipt: (id) => core.receipt(id),
      downloadContribution: async (id) => {
        const bytes = await core.packContribution(id);
        return bytes === null ? null : tarBlob(bytes);
      },
      downloadContributions: async (texts) => tarBlob(await core.packContributions(texts)),
    },
  };
}

/** Null if the fault is neither the file's nor the disk's. Dexie wraps the browser's errors. */
function storageRefusal(fault: unknown): Result<never, ImportRefusal> | null {
  const names = [fault, (fault as { readonly inner?: unknown } | null)?.inner].map((error) =>
    error instanceof Error || error instanceof DOMException ? error.name : "",
  );
  if (names.some((name) => name === "NotReadableError" || name === "NotFoundError"))
    return refuseImport(
      "unreadable",
      "The file has changed, moved or become unreadable since it was chosen. Choose it again.",
    );
  if (names.includes("QuotaExceededError"))
    return refuseImport(
      "no-room",
      "This browser has no room left for these rows. Free some space on the device, or add fewer.",
    );
  return null;
}

function tarBlob(bytes: Bytes): Blob {
  return new Blob([bytes], { type: "application/x-tar" });
}
