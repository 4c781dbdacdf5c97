/**
 * Gives Node a `navigator.gpu` like a browser's, from the optional package `webgpu` (Dawn).
 *
 * @returns false if the package is not installed for this platform.
 */
export async function installNodeGpu(): Promise<boolean> {
  try {
    const { create, globals } = await import("webgpu");
    Object.assign(globalThis, globals);
    Object.defineProperty(globalThis.navigator, "gpu", { value: create([]), configurable: true });
    return true;
  } catch {
    return false;
  }
}
