import type { LeftOutRow } from "#shared/data/left-out.ts";
import type { Mapping } from "#shared/data/match/mapping.ts";
import { openTable } from "#shared/data/open-table.ts";
import { type ReadingOptions, readTable, scanTable, type TableLook } from "#shared/data/read-csv.ts";
import { type Imported, type ImportRefusal, type ImportReport, refuseImport } from "#shared/data/report.ts";
import type { Result } from "#shared/kernel/result.ts";
import { inputSize } from "#shared/task/features.ts";
import type { ParticipantCore } from "../core/participant/participant.ts";
import type { MappingStore } from "../core/participant/ports.ts";
import type { TableView } from "../core/view.ts";
import { blobSource } from "./blob-files.ts";
import { platformDecoder } from "./platform-ports.ts";

const PICTURES_SHOWN = 5;
/** Progress is shown in steps of this share of the file. */
const PROGRESS_STEPS = 50;

interface Held {
  readonly file: File;
  readonly set: string | undefined;
  readonly look: TableLook | null;
  readonly options: ReadingOptions;
  readonly outcome: Result<Imported, ImportRefusal>;
}

/** The table that a person is adding: read, looked at, perhaps read again, then added. */
export class TableDesk {
  readonly #core: ParticipantCore;
  readonly #mappings: MappingStore;
  #held: Held | null = null;
  /** Counts readings, so that a later one ends an earlier one. */
  #turn = 0;

  constructor(core: ParticipantCore, mappings: MappingStore) {
    this.#core = core;
    this.#mappings = mappings;
  }

  get #features() {
    return this.#core.view.get().task.task.features;
  }

  async read(file: File, mapping: Mapping | null, set?: string): Promise<TableView> {
    this.#held = null;
    this.#turn += 1;
    const turn = this.#turn;
    let shown = 0;
    const show = (doneCount: number, totalCount: number) => {
      if (this.#turn !== turn) return;
      this.#core.view.patch({ reading: { name: file.name, unit: "bytes", doneCount, totalCount } });
    };
    show(0, file.size);
    try {
      const table = await openTable(file.name, blobSource(file), this.#features, set);
      if (!table.ok) return { look: null, report: null, refusal: table.error, pictures: [] };
      const source = table.value;
      const remembered = mapping === null ? await this.#mappings.get() : null;
      const options: ReadingOptions = { mapping, remembered, takesUnsure: true };
      const step = Math.max(1, source.byteCount / PROGRESS_STEPS);
      const { look, outcome } = await readTable(source, platformDecoder, this.#features, {
        ...options,
        isStopped: () => this.#turn !== turn,
        onProgress: (done) => {
          if (Math.abs(done - shown) < step) return;
          shown = done;
          show(done, source.byteCount);
        },
      });
      if (this.#turn === turn) this.#held = { file, set, look, options, outcome };
      return {
        look,
        report: outcome.ok ? outcome.value.report : null,
        refusal: outcome.ok ? null : outcome.error,
        pictures: outcome.ok ? this.#pictures(outcome.value) : [],
      };
    } finally {
      if (this.#turn === turn) this.#core.view.patch({ reading: null });
    }
  }

  #pictures({ dataset }: Imported): TableView["pictures"] {
    const features = this.#features;
    if (features.kind !== "image") return [];
    const size = inputSize(features);
    return Array.from({ length: Math.min(PICTURES_SHOWN, dataset.count) }, (_, row) => ({
      pixels: dataset.inputs.slice(row * size, (row + 1) * size),
      label: dataset.labels[row] ?? 0,
    }));
  }

  async add(remember: Mapping | null): Promise<Result<ImportReport, ImportRefusal>> {
    const held = this.#held;
    if (held === null) return refuseImport("unreadable", "The file is not read any more. Choose it again.");
    const added = await this.#core.add(held.file.name, held.outcome);
    if (!added.ok) return added;
    if (remember !== null && held.look !== null)
      await this.#mappings.put({ header: held.look.header, mapping: remember });
    this.#held = null;
    return added;
  }

  drop(): void {
    this.#turn += 1;
    this.#held = null;
    this.#core.view.patch({ reading: null });
  }

  /** Reads the file again, because its rows are kept in the model's format only. */
  async leftOutRows(): Promise<Blob | null> {
    const held = this.#held;
    if (held === null || held.look === null) return null;
    const table = await openTable(held.file.name, blobSource(held.file), this.#features, held.set);
    if (!table.ok) return null;
    let parts: string[] = [];
    const head = [...held.look.header, "row", "line", "reason"].map(csvCell).join(",");
    const openLeftOut = () => {
      parts = ["\ufeff", `${head}\r\n`];
      return (row: LeftOutRow) => void parts.push(leftOutLine(row, held.look?.header.length ?? 0));
    };
    const sinks = { openRows: () => ({ take: () => {} }), openLeftOut };
    await scanTable(table.value, platformDecoder, this.#features, held.options, sinks);
    return new Blob(parts, { type: "text/csv;charset=utf-8" });
  }
}

function leftOutLine({ cells, row, line, sentence }: LeftOutRow, width: number): string {
  const padded = Array.from({ length: width }, (_, at) => cells[at] ?? "");
  return `${[...padded, String(row), String(line), sentence].map(csvCell).join(",")}\r\n`;
}

function csvCell(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
