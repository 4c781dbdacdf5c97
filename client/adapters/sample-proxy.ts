import { Calls } from "#shared/kernel/calls.ts";
import type { Result } from "#shared/kernel/result.ts";
import { unpackTable } from "#shared/sample/packed-table.ts";
import type { Features } from "#shared/task/features.ts";
import type { Sample, SampleOptions, SampleRows, SampleView } from "../core/sample/sample.ts";
import type { FromSampleWorker, PackedView, SampleFile, ToSampleWorker } from "./sample-messages.ts";

/** The page's half of a sample. All reading is in the worker, and nothing of it is sent anywhere. */
export function openSampleOver(
  worker: Worker,
  files: readonly File[],
  { plainQuotes = false }: SampleOptions,
): Sample {
  const named: SampleFile[] = files.map((file) => ({ path: file.webkitRelativePath || file.name, file }));
  const tell = (message: ToSampleWorker) => worker.postMessage(message);
  const calls = new Calls<{ readonly features: Features }>((call) => tell(call));
  const listeners = new Set<() => void>();
  let view: SampleView = {
    name: nameOf(named),
    byteCount: files.reduce((sum, { size }) => sum + size, 0),
    readByteCount: 0,
    state: "reading",
    table: null,
    proposal: null,
    pictures: null,
    notes: [],
    problems: [],
    quoteFaultCount: 0,
    hasPlainQuotes: plainQuotes,
    refusal: null,
    elapsedMs: 0,
  };
  const show = (next: SampleView) => {
    view = next;
    for (const listener of listeners) listener();
  };
  const fail = (reason: string) => {
    calls.end(new Error(reason));
    show({
      ...view,
      state: "refused",
      refusal: `The sample could not be read (${reason}). Choose it again, or a smaller one.`,
    });
  };
  worker.onerror = ({ message }) => fail(message || "its worker could not be started");
  worker.onmessageerror = () => fail("a message could not be read");
  worker.onmessage = ({ data }: MessageEvent<FromSampleWorker>) => {
    if (data.kind === "view") show(unpacked(data.view));
    else calls.hear(data);
  };
  tell({ kind: "open", files: named, plainQuotes });
  return {
    view: () => view,
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    rows: (features) => calls.ask<Result<SampleRows, string>>({ features }),
    close: () => {
      listeners.clear();
      calls.end(new Error("the sample was closed"));
      worker.terminate();
    },
  };
}

function unpacked({ table, ...view }: PackedView): SampleView {
  if (table === null) return { ...view, table, proposal: null };
  const { profile, proposal } = unpackTable(table);
  return { ...view, table: profile, proposal };
}

/** Of one file its name, of several that of their folder. */
function nameOf(files: readonly SampleFile[]): string {
  const [first] = files;
  if (first === undefined) return "nothing";
  const folder = first.path.includes("/") ? first.path.split("/")[0] : undefined;
  return folder ?? (files.length === 1 ? first.path : `${files.length} files`);
}
