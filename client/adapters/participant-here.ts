import type { Bytes } from "#shared/kernel/bytes.ts";
import type { ParticipantCore } from "../core/participant/participant.ts";
import type { Slices } from "../core/slices.ts";
import type { ParticipantView } from "../core/view.ts";
import { importCsv, importDrawing, importPicture, importPictures } from "./imports.ts";
import type { Actions } from "./worker-rpc.ts";

/** A participant in this thread. */
export interface ParticipantHere {
  readonly view: Slices<ParticipantView>;
  readonly actions: Actions;
  setHidden(hidden: boolean): void;
}

/** The door's actions over the core: it reads the person's files and makes files of what the core packs. */
export function participantHere(core: ParticipantCore): ParticipantHere {
  const { features } = core.view.get().task.task;
  return {
    view: core.view,
    setHidden: (hidden) => core.setHidden(hidden),
    actions: {
      agree: (version) => core.agree(version),
      withdraw: () => core.withdraw(),
      addCsv: async (file) => core.add(file.name, await importCsv(file, features)),
      addDrawing: (pixels, label) => core.add("drawing", importDrawing(pixels, label, features)),
      addImages: async (files, label) => {
        const name = files.length === 1 ? (files[0]?.name ?? "") : `${files.length} files`;
        return core.add(name, await importPictures(files, label, features));
      },
      readPicture: (file) => importPicture(file, features),
      removeExample: (id) => core.removeExample(id),
      start: () => core.start(),
      pause: () => core.pause(),
      resume: () => core.start(),
      leave: () => core.leave(),
      deleteMyData: () => core.deleteMyData(),
      setBackend: (backend) => core.setBackend(backend),
      predict: (input) => core.predict(input),
      liveTensorCount: () => core.liveTensorCount(),
      contribution: (id) => core.contribution(id),
      downloadContribution: async (id) => {
        const bytes = await core.packContribution(id);
        return bytes === null ? null : tarBlob(bytes);
      },
      downloadContributions: async () => tarBlob(await core.packContributions()),
    },
  };
}

function tarBlob(bytes: Bytes): Blob {
  return new Blob([bytes], { type: "application/x-tar" });
}
