/** Real data to begin with, for who has none at hand: decisions on mortgages in Boston, 1990 (coordinator/data/README.md). */
export const EXAMPLE = { name: "mortgages.csv", words: "2,380 mortgage decisions, Boston 1990" };

/** The build takes the file in under an address of its own. @throws Error if it cannot be fetched. */
export async function exampleFile(): Promise<File> {
  const response = await fetch(new URL("../../../coordinator/data/hmda.csv", import.meta.url));
  if (!response.ok) throw new Error(`the coordinator answered ${response.status}`);
  return new File([await response.blob()], EXAMPLE.name, { type: "text/csv" });
}
