import { crc32, deflateRawSync } from "node:zlib";

/** A file of an archive for tests, and what the archive says of it, true or not. */
export interface ZipItem {
  readonly path: string;
  readonly data: Uint8Array | string;
  /** Default 8, deflate; 0 is stored. Any other is written, and the data stored. */
  readonly method?: number;
  readonly flags?: number;
  readonly says?: {
    readonly byteCount?: number;
    readonly packedBytes?: number;
    readonly crc?: number;
    readonly start?: number;
  };
}

export interface ZipPlan {
  /** Sizes and places with eight bytes each, in the fields of zip64. */
  readonly isLong?: boolean;
  readonly comment?: string;
  readonly disk?: number;
  /** Number of entries that the archive says it has. */
  readonly saysEntries?: number;
}

export function makeZip(items: readonly ZipItem[], plan: ZipPlan = {}): Uint8Array {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let at = 0;
  const push = (part: Buffer) => {
    parts.push(part);
    at += part.length;
  };
  for (const item of items) {
    const data = Buffer.from(item.data as Uint8Array);
    const method = item.method ?? 8;
    const body = method === 8 ? deflateRawSync(data) : data;
    const name = Buffer.from(item.path);
    const facts = {
      crc: item.says?.crc ?? crc32(data),
      packedBytes: item.says?.packedBytes ?? body.length,
      byteCount: item.says?.byteCount ?? data.length,
      start: item.says?.start ?? at,
    };
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50, 0);
    local.writeUInt16LE(item.flags ?? 0, 6);
    local.writeUInt16LE(method, 8);
    local.writeUInt32LE(facts.crc, 14);
    local.writeUInt32LE(body.length, 18);
    local.writeUInt32LE(data.length, 22);
    local.writeUInt16LE(name.length, 26);
    // An extra field that only the file's own header has.
    local.writeUInt16LE(4, 28);
    const extra = plan.isLong === true ? longField(facts) : Buffer.alloc(0);
    const entry = Buffer.alloc(46);
    entry.writeUInt32LE(0x02014b50, 0);
    entry.writeUInt16LE(item.flags ?? 0, 8);
    entry.writeUInt16LE(method, 10);
    entry.writeUInt32LE(facts.crc, 16);
    entry.writeUInt32LE(plan.isLong === true ? 0xffffffff : facts.packedBytes, 20);
    entry.writeUInt32LE(plan.isLong === true ? 0xffffffff : facts.byteCount, 24);
    entry.writeUInt16LE(name.length, 28);
    entry.writeUInt16LE(extra.length, 30);
    entry.writeUInt32LE(plan.isLong === true ? 0xffffffff : facts.start, 42);
    directory.push(Buffer.concat([entry, name, extra]));
    push(Buffer.concat([local, name, Buffer.from([0xca, 0xfe, 0, 0]), body]));
  }
  const start = at;
  for (const entry of directory) push(entry);
  const bytes = at - start;
  const count = plan.saysEntries ?? items.length;
  if (plan.isLong === true) {
    const end64 = Buffer.alloc(56);
    end64.writeUInt32LE(0x06064b50, 0);
    end64.writeBigUInt64LE(44n, 4);
    end64.writeBigUInt64LE(BigInt(count), 24);
    end64.writeBigUInt64LE(BigInt(count), 32);
    end64.writeBigUInt64LE(BigInt(bytes), 40);
    end64.writeBigUInt64LE(BigInt(start), 48);
    const locator = Buffer.alloc(20);
    locator.writeUInt32LE(0x07064b50, 0);
    locator.writeBigUInt64LE(BigInt(at), 8);
    locator.writeUInt32LE(1, 16);
    push(end64);
    push(locator);
  }
  const comment = Buffer.from(plan.comment ?? "");
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(plan.disk ?? 0, 4);
  end.writeUInt16LE(plan.isLong === true ? 0xffff : count, 8);
  end.writeUInt16LE(plan.isLong === true ? 0xffff : count, 10);
  end.writeUInt32LE(plan.isLong === true ? 0xffffffff : bytes, 12);
  end.writeUInt32LE(plan.isLong === true ? 0xffffffff : start, 16);
  end.writeUInt16LE(comment.length, 20);
  return Buffer.concat([...parts, end, comment]);
}

function longField(facts: {
  readonly packedBytes: number;
  readonly byteCount: number;
  readonly start: number;
}): Buffer {
  const field = Buffer.alloc(28);
  field.writeUInt16LE(1, 0);
  field.writeUInt16LE(24, 2);
  field.writeBigUInt64LE(BigInt(facts.byteCount), 4);
  field.writeBigUInt64LE(BigInt(facts.packedBytes), 12);
  field.writeBigUInt64LE(BigInt(facts.start), 20);
  return field;
}
