import { present } from "#shared/kernel/assert.ts";
import type { Bytes } from "#shared/kernel/bytes.ts";
import type { Primitives } from "#shared/kernel/ports.ts";
import { err, ok, type Result } from "#shared/kernel/result.ts";
import type { LogProof, ProvedLeaf } from "#shared/tlog/log-proof.ts";
import {
  formatNote,
  formatVerifierKey,
  type NoteSignature,
  type SignedNote,
  type VerifierKey,
} from "#shared/tlog/note.ts";
import { openTiledTree, type TiledTree } from "#shared/tlog/tiled-tree.ts";
import { cutTile, parseTilePath, TILE_WIDTH, tilePath } from "#shared/tlog/tiles.ts";
import type { TreeHead } from "#shared/tlog/tree.ts";
import type { LogFiles, LogTrouble, WitnessDemand } from "../ports/public-log.ts";
import type { Cosignable } from "./cosigner.ts";

interface PublicationPorts {
  readonly primitives: Primitives;
  readonly files: Pick<LogFiles, "read">;
  /** Called after a witness's signature has come. */
  readonly onSigned: (publication: Publication) => void;
}

interface ProofRequest {
  /** Number of leaves that the reader has seen; null for none. */
  readonly from: number | null;
  readonly leaves: readonly number[];
  readonly rotations: readonly number[];
}

/** A checkpoint of the log, with the signatures of witnesses that have come so far. */
export class Publication implements Cosignable {
  readonly head: TreeHead;
  readonly #own: SignedNote;
  readonly #ports: PublicationPorts;
  /** By NAME+KEYID+KEY. */
  readonly #signatures = new Map<string, NoteSignature>();
  #opening: Promise<Result<TiledTree, LogTrouble>> | null = null;

  /** @param own  The note as the log signed it. */
  constructor(head: TreeHead, own: SignedNote, ports: PublicationPorts) {
    this.head = head;
    this.#own = own;
    this.#ports = ports;
  }

  get size(): number {
    return this.head.size;
  }

  get text(): string {
    return this.#own.text;
  }

  get ownNote(): string {
    return formatNote(this.#own);
  }

  /** With the signatures of witnesses. */
  note(): string {
    const { text, signatures } = this.#own;
    return formatNote({ text, signatures: [...signatures, ...this.#signatures.values()] });
  }

  /** Of witnesses. */
  signatureCount(): number {
    return this.#signatures.size;
  }

  isSignedBy({ keys, needed }: WitnessDemand): boolean {
    return [...new Set(keys)].filter((key) => this.#signatures.has(key)).length >= needed;
  }

  add(witness: VerifierKey, signature: NoteSignature): void {
    this.#signatures.set(formatVerifierKey(witness), signature);
    this.#ports.onSigned(this);
  }

  /** Opened when it is first needed. */
  tree(): Promise<Result<TiledTree, LogTrouble>> {
    const opening = this.#opening ?? this.#open();
    this.#opening = opening;
    // A disk that does not answer now may answer later.
    opening.catch(() => {
      this.#opening = null;
    });
    return opening;
  }

  async #open(): Promise<Result<TiledTree, LogTrouble>> {
    const { primitives, files } = this.#ports;
    const tree = await openTiledTree(primitives, this.head, (path) => readTile(files, path));
    return tree.ok ? tree : err({ type: "damaged", path: tree.error.path });
  }

  /** @param rotations  Of the log. Those that this checkpoint has not are left out. */
  async prove({ from, leaves, rotations }: ProofRequest): Promise<Result<LogProof, LogTrouble>> {
    const tree = await this.tree();
    if (!tree.ok) return tree;
    const isReached = from !== null && from <= this.size;
    const consistency = isReached ? await tree.value.consistency(from) : ok<readonly Bytes[]>([]);
    if (!consistency.ok) return err({ type: "damaged", path: consistency.error.path });
    const proved = await proveLeaves(tree.value, leaves);
    const own = rotations.filter((index) => index < this.size);
    const handed = await proveLeaves(tree.value, own);
    if (!proved.ok) return proved;
    if (!handed.ok) return handed;
    return ok({
      checkpoint: this.note(),
      consistency: consistency.value,
      leaves: proved.value,
      rotations: handed.value,
    });
  }

  async consistency(earlier: number): Promise<Result<readonly Bytes[], unknown>> {
    const tree = await this.tree();
    return tree.ok ? tree.value.consistency(earlier) : tree;
  }
}

async function proveLeaves(
  tree: TiledTree,
  indexes: readonly number[],
): Promise<Result<readonly ProvedLeaf[], LogTrouble>> {
  const proved: ProvedLeaf[] = [];
  for (const index of indexes) {
    const [path, leaves] = [await tree.inclusion(index), await tree.leaves(index, index + 1)];
    if (!path.ok) return err({ type: "damaged", path: path.error.path });
    if (!leaves.ok) return err({ type: "damaged", path: leaves.error.path });
    const leaf = present(leaves.value[0], "a leaf that the tree has");
    proved.push({ index, leaf, path: path.value });
  }
  return ok(proved);
}

/** A tile of an earlier tree may have become part of a full one, after which it is removed. */
export async function readTile(files: Pick<LogFiles, "read">, path: string): Promise<Bytes | null> {
  const bytes = await files.read(path);
  const name = parseTilePath(path);
  if (bytes !== null || name === undefined || name.width === TILE_WIDTH) return bytes;
  const full = await files.read(tilePath({ ...name, width: TILE_WIDTH }));
  return full === null ? null : cutTile(full, name);
}
