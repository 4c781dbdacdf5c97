/** Two zeros, 8 for unsigned bytes, the number of axes, each axis as u32be. Source: yann.lecun.com/exdb/mnist. */
export function idxHeader(...axes: readonly number[]): Buffer {
  const header = Buffer.alloc(4 + 4 * axes.length);
  header.writeUInt32BE(0x0800 + axes.length);
  for (const [index, size] of axes.entries()) header.writeUInt32BE(size, 4 + 4 * index);
  return header;
}
