/** Characters that folders cannot have on some system, and control characters. Source: Windows, "Naming files". */
const NOT_IN_NAMES = /[\p{Cc}<>:"/\\|?*]/gu;

/**
 * The name of the folder with a class's pictures: the class's own, with "_" for each character that a folder cannot have.
 * "T-shirt/top" is T-shirt_top, and "a." is "a_", because Windows drops a full stop or a space at the end.
 */
export function folderOfClass(className: string): string {
  return className.replace(NOT_IN_NAMES, "_").replace(/[. ]$/, "_");
}

/**
 * Finds the classes that the folders of a path are named after.
 *
 * A folder's name is a class's own name or `folderOfClass` of it, in any letter case unless two classes differ in that
 * alone, and with other marks between its letters and digits ("tshirt top") unless two classes differ in those alone. Two
 * folders of which one is inside the other match "T-shirt/top" too.
 */
export function createFolderMatcher(classes: readonly string[]): (folders: readonly string[]) => number[] {
  const exact = new Map<string, number>();
  const loose = new Map<string, number | "several">();
  const bare = new Map<string, number | "several">();
  const add = (to: Map<string, number | "several">, key: string, label: number) => {
    const other = to.get(key);
    to.set(key, other === undefined || other === label ? label : "several");
  };
  for (const [label, name] of classes.entries()) {
    for (const spelling of [name, folderOfClass(name)]) {
      if (!exact.has(spelling.normalize())) exact.set(spelling.normalize(), label);
      add(loose, looseKey(spelling), label);
      add(bare, bareKey(spelling), label);
    }
  }
  // A set has far fewer folders than files.
  const known = new Map<string, number | null>();
  const labelOf = (folder: string): number | null => {
    let label = known.get(folder);
    if (label !== undefined) return label;
    // Not for two folders, of which "1/0" would be "10".
    const marked = folder.includes("/") ? undefined : bare.get(bareKey(folder));
    const found = exact.get(folder.normalize()) ?? loose.get(looseKey(folder)) ?? marked;
    label = typeof found === "number" ? found : null;
    known.set(folder, label);
    return label;
  };
  return (folders) => {
    const labels = new Set<number>();
    for (const [index, folder] of folders.entries()) {
      const label = labelOf(folder) ?? labelOf(`${folder}/${folders[index + 1] ?? ""}`);
      if (label !== null) labels.add(label);
    }
    return [...labels];
  };
}

function looseKey(name: string): string {
  return name.normalize().trim().toLowerCase();
}

/** Letters and digits alone; names without any keep their marks. */
function bareKey(name: string): string {
  const key = looseKey(name);
  return key.replace(/[^\p{L}\p{N}]+/gu, "") || key;
}
