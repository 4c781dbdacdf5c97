/** Saves bytes as a file. */
export function saveBlob(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob);
  const anchor = document.createElement("a");
  anchor.href = url;
  anchor.download = name;
  anchor.click();
  // The download starts with the click, but some browsers read the URL a little later.
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
