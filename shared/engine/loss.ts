import * as tf from "@tensorflow/tfjs-core";
import type { BackendLoss } from "../task/engine.ts";

/*
 * Detects the loss of a backend, which tfjs does not: its reads from a lost WebGL context never return, and those from a
 * lost WebGPU device return meaningless numbers.
 *
 * | backend | event                                   | cause                          |
 * | ------- | --------------------------------------- | ------------------------------ |
 * | webgl   | webglcontextlost on the canvas          | context-lost                   |
 * | webgpu  | device.lost, uncapturederror            | device-lost, out-of-memory     |
 * | others  | none: they end with their worker        |                                |
 */

interface DeviceLike extends EventTarget {
  destroy(): void;
  readonly lost: Promise<{ readonly message: string }>;
}
interface GpuErrorEvent extends Event {
  readonly error?: { readonly message: string };
}

const watched = new WeakSet<object>();

/** Destroys the WebGPU device, if that backend is in use. Pending work on it fails. */
export function destroyDevice(): void {
  const instance: unknown = tf.getBackend() === "webgpu" ? tf.backend() : null;
  (instance as { readonly device: DeviceLike } | null)?.device.destroy();
}

/** Watches the backend in use. Repeated calls do nothing. `onLoss` may be called more than once. */
export function watchBackend(onLoss: (loss: BackendLoss) => void): void {
  const backend = tf.getBackend();
  const instance: unknown = tf.backend();
  if (typeof instance !== "object" || instance === null || watched.has(instance)) return;
  watched.add(instance);
  if (backend === "webgl") watchContext(instance as WebglBackend, onLoss);
  if (backend === "webgpu") watchDevice((instance as { readonly device: DeviceLike }).device, onLoss);
}

interface WebglBackend {
  readonly gpgpu: { readonly gl: WebGL2RenderingContext };
}

function watchContext({ gpgpu }: WebglBackend, onLoss: (loss: BackendLoss) => void): void {
  const { gl } = gpgpu;
  const tell = () => onLoss({ backend: "webgl", cause: "context-lost", note: "" });
  gl.canvas.addEventListener("webglcontextlost", tell);
  // The context may have been lost before the listener was added.
  if (gl.isContextLost()) tell();
}

function watchDevice(device: DeviceLike, onLoss: (loss: BackendLoss) => void): void {
  void device.lost.then(({ message }) => onLoss({ backend: "webgpu", cause: "device-lost", note: message }));
  // A failed command does not write its result, so everything computed from it is wrong.
  device.addEventListener("uncapturederror", (event) => {
    const { error } = event as GpuErrorEvent;
    const isMemory = error?.constructor.name === "GPUOutOfMemoryError";
    onLoss({
      backend: "webgpu",
      cause: isMemory ? "out-of-memory" : "device-lost",
      note: error?.message.slice(0, 200) ?? "",
    });
  });
}
