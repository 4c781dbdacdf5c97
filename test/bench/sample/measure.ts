import { FIRST_BYTE_COUNT, profileTable } from "#client/core/sample/profile-table.ts";
import type { ByteSource } from "#shared/archive/byte-source.ts";
import { utf8 } from "#shared/kernel/bytes.ts";
import { proposeColumns } from "#shared/sample/propose-columns.ts";
import { repeated, splitAlone } from "../repeated.ts";

/* Profiles a table as the page that makes a task does; runs in Node and in a page. */

const openDecoder = (encoding: string) => new TextDecoder(encoding, { fatal: true });

/** Milliseconds until a proposal from the first bytes, and until ranges are final; of the product, and of the floor. */
export interface SampleTimes {
  readonly firstMs: number;
  readonly wholeMs: number;
  readonly floorFirstMs: number;
  readonly floorMs: number;
}

export async function measureSample(byteCount: number): Promise<SampleTimes> {
  const source = tableOf(byteCount);
  const floor = await splitAlone(source, FIRST_BYTE_COUNT);
  const began = performance.now();
  let firstMs = Number.NaN;
  const profiled = await profileTable(
    source,
    openDecoder,
    () => performance.now(),
    ({ table }) => {
      if (table === null || !Number.isNaN(firstMs)) return;
      proposeColumns(table);
      firstMs = performance.now() - began;
    },
  );
  if (!profiled.ok) throw new Error(profiled.error);
  const wholeMs = performance.now() - began;
  return { firstMs, wholeMs, floorFirstMs: floor.firstMs, floorMs: floor.wholeMs };
}

/** Twelve columns of every kind: numbers, categories, a number of each person, free text. */
function tableOf(byteCount: number): ByteSource {
  const header = "age,prior,stay,hba1c,smoker,admission,sex,patient_ref,note,pressure,weight,back\n";
  const block = utf8(Array.from({ length: 20_000 }, (_, index) => rowOf(index)).join(""));
  const head = utf8(header);
  return repeated(head, block, byteCount);
}

function rowOf(index: number): string {
  const smoker = ["no", "former", "yes", ""][index % 4];
  const note = `went home after ${index % 40} days and felt well again`;
  const numbers = `${18 + (index % 79)},${index % 12},${(index % 380) / 10},${(44 + (index % 94)) / 10}`;
  const person = `P${1_000_000 + index}`;
  const more = `${90 + ((index * 7) % 110)},${((400 + ((index * 13) % 900)) / 10).toFixed(1)}`;
  return `${numbers},${smoker},${index % 2 === 0 ? "planned" : "emergency"},${index % 2 === 0 ? "f" : "m"},${person},${note},${more},${index % 7 === 0 ? "yes" : "no"}\n`;
}
