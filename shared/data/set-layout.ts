import type { NamedFile } from "../archive/byte-source.ts";
import type { Features } from "../task/features.ts";
import { createFolderMatcher } from "./class-folders.ts";
import type { IdxLayout } from "./idx.ts";

/* Finds out how a folder or an archive holds a set: IDX files, a folder for each class, or a table. Reads only the paths. */

/** Which part of a set that comes in two: the rows to train on, or those to judge with. */
export type SetPart = "train" | "test";

export interface SetLayout {
  readonly content: SetContent;
  /** Files that systems and programs leave behind. */
  readonly ignoredCount: number;
}

export type SetContent =
  | {
      readonly kind: "idx";
      readonly pictures: NamedFile;
      readonly labels: NamedFile;
      readonly layout: IdxLayout;
      /** Files that were not needed, e.g. the test part. */
      readonly otherCount: number;
    }
  | {
      readonly kind: "classes";
      readonly pictures: readonly { readonly file: NamedFile; readonly label: number }[];
      readonly leftOut: readonly LeftOutFiles[];
    }
  | { readonly kind: "table"; readonly file: NamedFile; readonly otherCount: number }
  /** More than one set would do. */
  | { readonly kind: "several"; readonly names: readonly string[] }
  /** A file of IDX pictures without that of its labels, or the other way round. */
  | { readonly kind: "half"; readonly name: string }
  | { readonly kind: "nothing"; readonly folders: readonly string[]; readonly fileCount: number };

/** Files that belong to no class, by what they have in common. */
export interface LeftOutFiles {
  readonly reason: "no-class" | "no-folder" | "two-classes" | "other-part";
  /** The folder, or the first file if they lie in none. */
  readonly name: string;
  readonly count: number;
}

const SYSTEM_FILES =
  /^(?:\.[^.].*|Thumbs\.db|ehthumbs\.db|desktop\.ini|__MACOSX|\$RECYCLE\.BIN|@eaDir|Icon\r)$/i;
const TRAIN = /^(?:train|training)$/i;
const OTHER_PARTS = /^(?:test|testing|val|valid|validation|dev|eval|evaluation)$/i;
const IDX = /(?:idx[1-4](?:-ubyte)?|\.idx)(?:\.gz)?$/i;
const TABLE = /\.(?:csv|tsv|txt)(?:\.gz)?$/i;

/** What is wanted of a folder or an archive that holds more than one set. */
export interface WantedSet {
  /** Default: the rows to train on. */
  readonly part?: SetPart;
  /** One of the names of `several`. */
  readonly set?: string | undefined;
}

/** @param files  Of a folder with all that is in it, or of an archive. */
export function layOut(files: readonly NamedFile[], features: Features, wanted: WantedSet = {}): SetLayout {
  const own = files.filter(({ path }) => !path.split("/").some((name) => SYSTEM_FILES.test(name)));
  return { content: contentOf(own, features, wanted), ignoredCount: files.length - own.length };
}

function contentOf(
  files: readonly NamedFile[],
  features: Features,
  { part = "train", set }: WantedSet,
): SetContent {
  if (features.kind === "image") {
    const idx = idxContent(files, features.classes.length, part, set);
    if (idx !== null) return idx;
    const byClass = classContent(files, features.classes, part);
    if (byClass !== null) return byClass;
  }
  const half = features.kind === "image" ? files.find(({ path }) => isIdxName(path)) : undefined;
  if (half !== undefined) return { kind: "half", name: half.path };
  return (
    tableContent(files, part, set) ?? { kind: "nothing", folders: foldersOf(files), fileCount: files.length }
  );
}

/** Sets by the part of their files' names that pictures and labels share. */
interface IdxSet {
  readonly key: string;
  /** For people: the name of the file of pictures. */
  readonly name: string;
  readonly pictures: NamedFile;
  readonly labels: NamedFile;
}

function idxContent(
  files: readonly NamedFile[],
  classCount: number,
  part: SetPart,
  wanted: string | undefined,
): SetContent | null {
  const sets = idxSets(files.filter(({ path }) => isIdxName(path)));
  const chosen = sets.find(({ name }) => name === wanted);
  const [set, ...others] = chosen === undefined ? chooseSets(sets, classCount, part) : [chosen];
  if (set === undefined) return null;
  if (others.length > 0) return { kind: "several", names: [set, ...others].map(({ name }) => name) };
  return {
    kind: "idx",
    pictures: set.pictures,
    labels: set.labels,
    layout: idxLayoutOf(set.pictures.path),
    otherCount: files.length - 2,
  };
}

/**
 * How a set is stored, by the name of either of its files.
 * Source: Cohen, Afshar, Tapson and van Schaik 2017, arXiv:1702.05373; the files of NIST.
 */
export function idxLayoutOf(path: string): IdxLayout {
  const key = idxKey(path);
  return { isTransposed: key.includes("emnist"), firstLabel: key.includes("emnist-letters") ? 1 : 0 };
}

/** The IDX sets in a folder, of one part if they come in two. Several if their names do not tell which is meant. */
export function idxSetsIn(
  files: readonly NamedFile[],
  part: SetPart,
): { readonly pictures: string; readonly labels: string }[] {
  const sets = idxSets(files.filter(({ path }) => isIdxName(path)));
  return chooseSets(sets, null, part).map(({ pictures, labels }) => ({
    pictures: pictures.path,
    labels: labels.path,
  }));
}

function idxSets(files: readonly NamedFile[]): IdxSet[] {
  const labels = files.filter(({ path }) => /label/i.test(nameOf(path)) || /idx1/i.test(nameOf(path)));
  const sets = new Map<string, IdxSet>();
  for (const pictures of byDepth(files.filter((file) => !labels.includes(file)))) {
    const key = idxKey(pictures.path);
    const folder = idxFolder(pictures.path);
    const ofKey = byDepth(labels.filter(({ path }) => idxKey(path) === key));
    const partner =
      ofKey.find(({ path }) => idxFolder(path) === folder) ?? (ofKey.length === 1 ? ofKey[0] : undefined);
    // Kaggle's archives have each file twice: beside a folder of its name, and in it.
    const place = `${folder}/${key}`;
    if (partner === undefined || sets.has(place)) continue;
    sets.set(place, { key, name: pictures.path, pictures, labels: partner });
  }
  return [...sets.values()];
}

/** What the names of pictures and labels of one set have in common. */
function idxKey(path: string): string {
  return nameOf(path)
    .toLowerCase()
    .replace(/\.gz$/, "")
    .replace(/images?|labels?/, "")
    .replace(/\.?idx[1-4](-ubyte)?|\.idx/, "")
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-|-$/g, "");
}

/** The file's folder, or that folder's if it is called like the file. */
function idxFolder(path: string): string {
  const folders = path.split("/").slice(0, -1);
  const last = folders.at(-1);
  if (last !== undefined && idxKey(last) === idxKey(path) && IDX.test(last)) folders.pop();
  return folders.join("/");
}

const EMNIST_CLASSES = new Map([
  ["letters", 26],
  ["digits", 10],
  ["mnist", 10],
  ["balanced", 47],
  ["bymerge", 47],
  ["byclass", 62],
]);

/** True if a file is called like one of an IDX set. */
export function isIdxName(path: string): boolean {
  return IDX.test(nameOf(path));
}

/** The set that the file `name` belongs to, among those in its folder. */
export function withPartner(name: string, beside: readonly NamedFile[]): readonly NamedFile[] {
  const set = idxSets(beside.filter(({ path }) => !path.includes("/") && isIdxName(path))).find(
    ({ pictures, labels }) => pictures.path === name || labels.path === name,
  );
  return set === undefined ? beside.filter(({ path }) => path === name) : [set.pictures, set.labels];
}

function chooseSets(sets: readonly IdxSet[], classCount: number | null, part: SetPart): readonly IdxSet[] {
  const isTest = ({ key }: IdxSet) => /(?:^|-)(?:t10k|test|val|validation)(?:-|$)/.test(key);
  const isTrain = ({ key }: IdxSet) => /(?:^|-)(?:train|training)(?:-|$)/.test(key);
  const ofPart = sets.filter(part === "train" ? isTrain : isTest);
  const rest = sets.filter((set) => !isTest(set) && !isTrain(set));
  const candidates = ofPart.length > 0 ? ofPart : rest.length > 0 ? rest : sets;
  const fitting = candidates.filter(({ key }) => {
    const kind = /emnist-([a-z]+)/.exec(key)?.[1];
    return kind !== undefined && EMNIST_CLASSES.get(kind) === classCount;
  });
  return candidates.length > 1 && fitting.length > 0 ? fitting : candidates;
}

function classContent(
  files: readonly NamedFile[],
  classes: readonly string[],
  part: SetPart,
): SetContent | null {
  const match = createFolderMatcher(classes);
  const places = files.map((file) => {
    const folders = file.path.split("/").slice(0, -1);
    return { file, folders, labels: match(folders) };
  });
  const pictures = places.filter(({ labels }) => labels.length === 1);
  if (places.every(({ labels }) => labels.length === 0)) return null;
  const partOf = (folders: readonly string[]) =>
    folders.find((name) => match([name]).length === 0 && (TRAIN.test(name) || OTHER_PARTS.test(name)));
  const isWanted = (name: string | undefined) =>
    name !== undefined && (part === "train" ? TRAIN.test(name) : OTHER_PARTS.test(name));
  const isSplit = pictures.some(({ folders }) => isWanted(partOf(folders)));
  const leftOut = new Map<string, LeftOutFiles>();
  const leave = (reason: LeftOutFiles["reason"], name: string) => {
    const key = reason === "no-folder" ? reason : `${reason} ${name}`;
    const known = leftOut.get(key);
    leftOut.set(key, { reason, name: known?.name ?? name, count: (known?.count ?? 0) + 1 });
  };
  const taken: { readonly file: NamedFile; readonly label: number }[] = [];
  for (const { file, folders, labels } of places) {
    const [label] = labels;
    const ownPart = partOf(folders);
    if (label === undefined && folders.length === 0) leave("no-folder", file.path);
    else if (label === undefined) leave("no-class", folders.join("/"));
    else if (labels.length > 1) leave("two-classes", folders.join("/"));
    else if (isSplit && ownPart !== undefined && !isWanted(ownPart)) leave("other-part", ownPart);
    else taken.push({ file, label });
  }
  return { kind: "classes", pictures: taken, leftOut: [...leftOut.values()] };
}

function tableContent(
  files: readonly NamedFile[],
  part: SetPart,
  wanted: string | undefined,
): SetContent | null {
  const tables = files.filter(({ path }) => TABLE.test(path));
  const chosen = tables.find(({ path }) => path === wanted);
  if (chosen !== undefined) return { kind: "table", file: chosen, otherCount: files.length - 1 };
  const isPlain = tables.filter(({ path }) => !/\.txt(?:\.gz)?$/i.test(path));
  const candidates = isPlain.length > 0 ? isPlain : tables;
  const ofPart = candidates.filter(({ path }) =>
    (part === "train" ? /train/i : /test|val(?:id)?/i).test(nameOf(path)),
  );
  const [file, ...others] = ofPart.length > 0 ? ofPart : candidates;
  if (file === undefined) return null;
  if (others.length > 0) return { kind: "several", names: [file, ...others].map(({ path }) => path) };
  return { kind: "table", file, otherCount: files.length - 1 };
}

function foldersOf(files: readonly NamedFile[]): string[] {
  const folders = files.map(({ path }) => path.split("/").slice(0, -1).at(-1));
  return [...new Set(folders.filter((folder) => folder !== undefined))];
}

function byDepth(files: readonly NamedFile[]): NamedFile[] {
  const depth = ({ path }: NamedFile) => path.split("/").length;
  return [...files].sort((left, right) => depth(left) - depth(right));
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
