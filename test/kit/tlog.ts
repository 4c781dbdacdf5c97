import { localSigner } from "#shared/crypto/signature.ts";
import { present } from "#shared/kernel/assert.ts";
import type { Bytes } from "#shared/kernel/bytes.ts";
import type { Primitives, Signer } from "#shared/kernel/ports.ts";
import { formatCheckpoint } from "#shared/tlog/checkpoint.ts";
import { EMPTY_EDGE, grow, type TreeEdge } from "#shared/tlog/grow.ts";
import { encodeLeaf } from "#shared/tlog/leaf.ts";
import type { LeafBody, LeafKind } from "#shared/tlog/leaf-kinds.ts";
import type { LogProof, ProvedLeaf } from "#shared/tlog/log-proof.ts";
import { formatNote, signNote } from "#shared/tlog/note.ts";
import { openTiledTree, type TiledTree } from "#shared/tlog/tiled-tree.ts";
import type { TreeHead } from "#shared/tlog/tree.ts";

/** A log in memory, which is whatever its test wants: honest, forked, rolled back. */
export class MemoryLog {
  readonly origin: string;
  /** By path. */
  readonly files: Map<string, Bytes>;
  readonly leaves: Bytes[];
  readonly #primitives: Primitives;
  #signer: Signer;
  #edge: TreeEdge;
  #rotations: number[];

  constructor(primitives: Primitives, origin = "log.example/1", seed = new Uint8Array(32).fill(7)) {
    this.#primitives = primitives;
    this.origin = origin;
    this.#signer = localSigner(seed);
    this.files = new Map();
    this.leaves = [];
    this.#edge = EMPTY_EDGE;
    this.#rotations = [];
  }

  /** Another log with the same past and the same key. */
  fork(): MemoryLog {
    const other = new MemoryLog(this.#primitives, this.origin);
    other.#signer = this.#signer;
    other.#edge = this.#edge;
    other.#rotations = [...this.#rotations];
    for (const [path, bytes] of this.files) other.files.set(path, bytes);
    other.leaves.push(...this.leaves);
    return other;
  }

  get publicKey(): Bytes {
    return this.#signer.publicKey;
  }

  get signer(): Signer {
    return this.#signer;
  }

  /** Indexes of the leaves by which the key has changed. */
  get rotations(): readonly number[] {
    return this.#rotations;
  }

  /** From here on `next` signs. @param index  Of the leaf that says so. */
  signWith(next: Signer, index: number): void {
    this.#signer = next;
    this.#rotations.push(index);
  }

  /** @returns The index of the leaf. */
  async add<Kind extends LeafKind>(
    kind: Kind,
    body: LeafBody<Kind>,
    at = 1_700_000_000_000,
  ): Promise<number> {
    return this.addBytes(encodeLeaf(kind, at, Object.assign({ version: 1 }, body)));
  }

  async addBytes(...leaves: readonly Bytes[]): Promise<number> {
    const growth = await grow(this.#primitives, this.#edge, leaves);
    this.#edge = growth.edge;
    for (const { path, bytes } of growth.files) this.files.set(path, bytes);
    this.leaves.push(...leaves);
    return this.leaves.length - 1;
  }

  async head(): Promise<TreeHead> {
    const { head } = await grow(this.#primitives, this.#edge, []);
    return head;
  }

  /** A signed note. */
  async checkpoint(): Promise<string> {
    const text = formatCheckpoint({ origin: this.origin, ...(await this.head()) });
    const signature = await signNote(this.#primitives, this.#signer, this.origin, text);
    return formatNote({ text, signatures: [signature] });
  }

  async tree(): Promise<TiledTree> {
    const read = async (path: string) => this.files.get(path) ?? null;
    const opened = await openTiledTree(this.#primitives, await this.head(), read);
    if (!opened.ok) throw new Error(`${opened.error.type} ${opened.error.path}`);
    return opened.value;
  }

  /** @param from  Size of the tree that was seen. */
  async proof(from: number | null, indexes: readonly number[]): Promise<LogProof> {
    const tree = await this.tree();
    const consistency = from === null || from > tree.head.size ? null : await tree.consistency(from);
    const prove = async (index: number): Promise<ProvedLeaf> => {
      const path = await tree.inclusion(index);
      if (!path.ok) throw new Error(path.error.path);
      return { index, leaf: present(this.leaves[index], "a leaf"), path: path.value };
    };
    return {
      checkpoint: await this.checkpoint(),
      consistency: consistency?.ok === true ? consistency.value : [],
      leaves: await Promise.all(indexes.map(prove)),
      rotations: await Promise.all(this.#rotations.map(prove)),
    };
  }
}
