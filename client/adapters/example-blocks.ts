import { type Dataset, joinDatasets, pickRows } from "#shared/task/dataset.ts";
import type { ExampleStore } from "../core/participant/ports.ts";
import type { ExampleView } from "../core/view.ts";
import type { BrowserStore, StoredBlock } from "./browser-store.ts";

/** Rows per record, so that a large file takes few records and one drawing a small one. */
const BLOCK_ROWS = 500;
/** An example's id is its block's id times this, plus its row. */
const ID_STEP = 512;
const SHOWN_MAX = 200;

/** A person's rows: in IndexedDB, and in memory while the page is open. */
export class ExampleBlocks implements ExampleStore {
  readonly #store: BrowserStore;
  readonly #slug: string;
  readonly #blocks: StoredBlock[];

  private constructor(store: BrowserStore, slug: string, blocks: StoredBlock[]) {
    this.#store = store;
    this.#slug = slug;
    this.#blocks = blocks;
  }

  static async open(store: BrowserStore, slug: string): Promise<ExampleBlocks> {
    return new ExampleBlocks(store, slug, await store.blocks.where({ slug }).sortBy("id"));
  }

  async add(rows: Dataset): Promise<void> {
    const blocks: Omit<StoredBlock, "id">[] = [];
    for (let start = 0; start < rows.count; start += BLOCK_ROWS) {
      const length = Math.min(BLOCK_ROWS, rows.count - start);
      const part = pickRows(
        rows,
        Uint32Array.from({ length }, (_, index) => start + index),
      );
      const [inputs, labels] = [new Float32Array(part.inputs), new Float32Array(part.labels)];
      blocks.push({ slug: this.#slug, inputs, labels, gone: [] });
    }
    const ids = await this.#store.blocks.bulkAdd(blocks, { allKeys: true });
    this.#blocks.push(...blocks.map((block, index) => ({ ...block, id: ids[index] as number })));
  }

  async remove(exampleId: number): Promise<void> {
    const [blockId, row] = [Math.floor(exampleId / ID_STEP), exampleId % ID_STEP];
    const index = this.#blocks.findIndex(({ id }) => id === blockId);
    const block = this.#blocks[index];
    if (block === undefined || row >= block.labels.length || block.gone.includes(row)) return;
    const changed = { ...block, gone: [...block.gone, row] };
    if (changed.gone.length === block.labels.length) {
      await this.#store.blocks.delete(blockId);
      this.#blocks.splice(index, 1);
      return;
    }
    // Removed values must not remain readable under the mark.
    changed.inputs.fill(0, row * widthOf(block), (row + 1) * widthOf(block));
    await this.#store.blocks.put(changed);
    this.#blocks[index] = changed;
  }

  rows(): Dataset {
    return joinDatasets(
      this.#blocks.map((block) => pickRows(asRows(block), Uint32Array.from(rowsOf(block)))),
    );
  }

  labels(): Float32Array {
    return Float32Array.from(
      this.#blocks.flatMap((block) => rowsOf(block).map((row) => block.labels[row] as number)),
    );
  }

  /** Newest last. */
  examples(withPixels: boolean): ExampleView[] {
    const shown: ExampleView[] = [];
    for (const block of [...this.#blocks].reverse()) {
      for (const row of rowsOf(block).reverse()) {
        if (shown.length === SHOWN_MAX) return shown.reverse();
        const width = widthOf(block);
        const pixels = withPixels ? block.inputs.slice(row * width, (row + 1) * width) : null;
        shown.push({ id: block.id * ID_STEP + row, label: block.labels[row] as number, pixels });
      }
    }
    return shown.reverse();
  }
}

function rowsOf(block: StoredBlock): number[] {
  const gone = new Set(block.gone);
  return [...block.labels.keys()].filter((row) => !gone.has(row));
}

function asRows({ inputs, labels }: StoredBlock): Dataset {
  return { inputs, labels: Float32Array.from(labels), count: labels.length };
}

function widthOf({ inputs, labels }: StoredBlock): number {
  return inputs.length / labels.length;
}
