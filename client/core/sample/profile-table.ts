import type { ByteSource } from "#shared/archive/byte-source.ts";
import { layoutNotes } from "#shared/data/notes.ts";
import type { ImportRefusal } from "#shared/data/report.ts";
import type { Encoding, OpenDecoder } from "#shared/data/table/encoding.ts";
import { type TableHead, TableReader, type TableReading } from "#shared/data/table/table-reader.ts";
import { err, ok, type Result } from "#shared/kernel/result.ts";
import { SAMPLE_COLUMNS_MAX, type TableProfile, TableProfiler } from "#shared/sample/table-profiler.ts";

/** What is known of a table while it is read. */
export interface TableProgress {
  readonly readByteCount: number;
  readonly table: TableProfile | null;
  readonly notes: readonly string[];
  readonly problems: readonly string[];
  /** Rows among those left out whose quotes cannot be read. */
  readonly quoteFaultCount: number;
}

/** A proposal is made after so many bytes, and from then on at intervals. */
export const FIRST_BYTE_COUNT = 5_000_000;
const AGAIN_MS = 1_000;
/** Bytes that are read at a time. */
const PIECE_BYTE_COUNT = 1_000_000;
/** Rows with unreadable quotes that are named. */
const FAULTS_SHOWN = 3;

/**
 * Profiles a table of any size in bounded memory.
 *
 * @param nowMs   Monotonic.
 * @param plainQuotes  A quote is a letter everywhere.
 * @param follow  Called after the first FIRST_BYTE_COUNT bytes, then about once a second.
 * @returns What is known of the whole. Errors: a sentence. Throws what the source throws.
 */
export async function profileTable(
  source: ByteSource,
  openDecoder: OpenDecoder,
  nowMs: () => number,
  follow: (progress: TableProgress) => void,
  plainQuotes = false,
): Promise<Result<TableProgress, string>> {
  let encoding: Encoding | undefined;
  for (;;) {
    const pass = new ProfilePass(openDecoder, { encoding, plainQuotes });
    let followedAt: number | null = null;
    for (let from = 0; from < source.byteCount && pass.stop === null; from += PIECE_BYTE_COUNT) {
      pass.push(await source.read(from, Math.min(source.byteCount, from + PIECE_BYTE_COUNT)));
      if (followedAt === null ? pass.readByteCount >= FIRST_BYTE_COUNT : nowMs() - followedAt >= AGAIN_MS) {
        follow(pass.progress());
        followedAt = nowMs();
      }
    }
    pass.end();
    const { stop } = pass;
    if (stop?.type === "refused") return err(stop.refusal.sentence);
    if (stop === null) return ok(pass.progress());
    if (encoding !== undefined)
      return err("This file is in no encoding that is known here. Save it as UTF-8.");
    // Bytes that are not UTF-8 are those of an older Windows program.
    encoding = "windows-1252";
  }
}

class ProfilePass {
  readonly #reader: TableReader;
  #head: TableHead | null = null;
  #profiler: TableProfiler | null = null;
  #faults: string[] = [];
  #faultCount = 0;
  #readByteCount = 0;

  constructor(openDecoder: OpenDecoder, reading: Pick<TableReading, "encoding" | "plainQuotes">) {
    this.#reader = new TableReader(
      { openDecoder, ...reading, columnsMax: SAMPLE_COLUMNS_MAX },
      {
        onTooWide: tooWide,
        onHead: (head) => {
          if (head.header.length > SAMPLE_COLUMNS_MAX) return tooWide(head.header.length);
          this.#head = head;
          this.#profiler = new TableProfiler(head.header);
          return null;
        },
        onRow: ({ row, line, cells, fault }) => {
          if (fault === null) {
            this.#profiler?.add(cells);
            return;
          }
          this.#faultCount += 1;
          this.#profiler?.leaveOut();
          if (this.#faults.length < FAULTS_SHOWN) this.#faults.push(faultSentence(fault, row, line));
        },
      },
    );
  }

  get stop() {
    return this.#reader.stop;
  }
  get readByteCount(): number {
    return this.#readByteCount;
  }

  push(bytes: Uint8Array): void {
    this.#reader.push(bytes);
    this.#readByteCount += bytes.length;
  }
  end(): void {
    this.#reader.end();
  }

  progress(): TableProgress {
    const more = this.#faultCount - this.#faults.length;
    return {
      readByteCount: this.#readByteCount,
      table: this.#profiler?.profile() ?? null,
      notes:
        this.#head === null
          ? []
          : layoutNotes(this.#head, this.#reader.counts.blankCount).map(({ sentence }) => sentence),
      problems:
        more > 0 ? [...this.#faults, `${more} more rows have quotes that cannot be read.`] : this.#faults,
      quoteFaultCount: this.#faultCount,
    };
  }
}

function tooWide(columnCount: number): ImportRefusal {
  return {
    type: "too-many-columns",
    sentence: `The header names ${columnCount} columns, and a sample may have ${SAMPLE_COLUMNS_MAX}. Leave out those that people will not bring.`,
    problems: [],
  };
}

function faultSentence(fault: "open" | "text-after", row: number, line: number): string {
  return fault === "open"
    ? `A quote is opened in row ${row} (line ${line}) and never closed. Close it, or take it away.`
    : `Row ${row} (line ${line}) has text after a closing quote. Double the quotes inside it.`;
}
