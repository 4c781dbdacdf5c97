import * as tf from "@tensorflow/tfjs-core";
import { err, ok, type Result } from "../kernel/result.ts";
import type { ModelSpec } from "../task/model.ts";
import type { TrainingPlan } from "../task/task.ts";
import { parameterCount } from "./network.ts";
import { train } from "./train.ts";

/*
 * The engines of tfjs, each loaded when it is first tried.
 *
 * | backend | where                    | limits                                                   |
 * | ------- | ------------------------ | -------------------------------------------------------- |
 * | webgpu  | browser; Node with Dawn  |                                                          |
 * | webgl   | browser                  |                                                          |
 * | wasm    | both                     | no gradient of convolutions                              |
 * | cpu     | both                     |                                                          |
 */

export type BackendName = "webgpu" | "webgl" | "wasm" | "cpu";

export interface EngineAssets {
  /** Addresses of the three wasm files by their names in tfjs-backend-wasm; null where Node finds them itself. */
  readonly wasmPaths: Readonly<Record<string, string>> | null;
}

export interface BackendTiming {
  readonly backend: BackendName;
  /** Milliseconds a training step takes; null where the backend cannot be used, with the reason in `note`. */
  readonly msPerStep: number | null;
  readonly note: string | null;
  /** It may well work, but a processor plays its GPU, so it was not timed. A person may choose it. */
  readonly untimed?: "software";
}

/** After the warm-up, which compiles. */
const TIMED_MS = 600;
const TIMED_STEPS_MAX = 30;
/** In nats. Half-precision chips are within it; an engine that answers zeros is not. */
const LOSS_ERROR_MAX = 0.05;

/**
 * Makes `backend` the one in use.
 *
 * @param allowSoftware  Takes a GPU interface that a CPU emulates; refused otherwise.
 * Errors: the reason, as a part of a sentence.
 */
export async function useBackend(
  backend: BackendName,
  assets: EngineAssets,
  allowSoftware: boolean,
): Promise<Result<void, string>> {
  const used = await tryBackend(backend, assets, allowSoftware);
  return used.ok ? used : err(used.error.reason);
}

interface BackendProblem {
  readonly reason: string;
  /** Refused only because a processor plays the GPU. */
  readonly isSoftware: boolean;
}

async function tryBackend(
  backend: BackendName,
  assets: EngineAssets,
  allowSoftware: boolean,
): Promise<Result<void, BackendProblem>> {
  // Input checks and console advice of tfjs are for development.
  if (!tf.env().getBool("PROD")) tf.enableProdMode();
  try {
    const problem = await load(backend, assets, allowSoftware);
    if (problem !== null) return err(problem);
    if (!(await tf.setBackend(backend))) return err(unusable("it did not start on this device"));
    await tf.ready();
    return ok(undefined);
  } catch (fault) {
    const message = fault instanceof Error ? fault.message : String(fault);
    return err(unusable(`it did not start on this device (${message})`));
  }
}

function unusable(reason: string): BackendProblem {
  return { reason, isSoftware: false };
}

function software(description: string): BackendProblem {
  return { reason: `its adapter is software (${description})`, isSoftware: true };
}

async function load(
  backend: BackendName,
  assets: EngineAssets,
  allowSoftware: boolean,
): Promise<BackendProblem | null> {
  switch (backend) {
    case "cpu":
      await import("@tensorflow/tfjs-backend-cpu");
      return null;
    case "wasm": {
      const { setWasmPaths } = await import("@tensorflow/tfjs-backend-wasm");
      // The threaded build hangs once a bundler has minified it. The import makes the flag known; the choice comes later.
      tf.env().set("WASM_HAS_MULTITHREAD_SUPPORT", false);
      if (assets.wasmPaths !== null) setWasmPaths({ ...assets.wasmPaths });
      return null;
    }
    case "webgl": {
      if (typeof OffscreenCanvas === "undefined") return unusable("this platform has no WebGL here");
      const renderer = webglRenderer();
      if (renderer === null) return unusable("this platform has no WebGL here");
      if (!allowSoftware && isSoftware(renderer)) return software(renderer);
      await import("@tensorflow/tfjs-backend-webgl");
      return null;
    }
    case "webgpu": {
      const adapter = await webgpuAdapter();
      if (adapter === null) return unusable("this platform has no WebGPU adapter");
      if (!allowSoftware && (adapter.isFallback || isSoftware(adapter.description))) {
        return software(adapter.description);
      }
      await import("@tensorflow/tfjs-backend-webgpu");
      return null;
    }
  }
}

/**
 * Times training steps of `backend` on rows of zeros, and leaves it in use. A backend whose loss is not the one that zeros
 * have does not compute: its row says so.
 *
 * @param onStart  Called when the backend is in use, before it computes.
 */
export async function timeBackend(
  backend: BackendName,
  model: ModelSpec,
  plan: TrainingPlan,
  assets: EngineAssets,
  allowSoftware: boolean,
  onStart: (backend: BackendName) => void = () => {},
): Promise<BackendTiming> {
  if (backend === "wasm" && model.layers.some((layer) => layer.className === "Conv2D")) {
    return { backend, msPerStep: null, note: "it cannot train convolutions" };
  }
  const used = await tryBackend(backend, assets, allowSoftware);
  if (!used.ok) {
    const { reason, isSoftware: emulated } = used.error;
    return { backend, msPerStep: null, note: reason, ...(emulated ? { untimed: "software" } : {}) };
  }
  onStart(backend);
  const inputSize = model.inputShape.reduce((product, size) => product * size, 1);
  const rows = {
    inputs: new Float32Array(plan.batchSize * inputSize),
    labels: new Int32Array(plan.batchSize),
    count: plan.batchSize,
  };
  const weights = new Float32Array(parameterCount(model));
  const never = new AbortController().signal;
  // One batch an epoch, so that epochs are steps.
  const trainSteps = (epochs: number) =>
    train({ model, plan: { ...plan, epochs }, weights, rows, shuffleSeed: 0 }, () => {}, never);
  const millisecondsOf = async (steps: number) => {
    const beganMs = performance.now();
    await trainSteps(steps);
    return performance.now() - beganMs;
  };
  const warmUp = await trainSteps(1);
  const loss = warmUp.ok ? (warmUp.value.epochLosses[0] ?? Number.NaN) : Number.NaN;
  // Weights of zero make every class as likely as any other.
  if (!(Math.abs(loss - Math.log(model.classCount)) < LOSS_ERROR_MAX)) {
    return { backend, msPerStep: null, note: "its numbers are wrong" };
  }
  const firstMs = await millisecondsOf(1);
  const steps = Math.min(TIMED_STEPS_MAX, Math.floor(TIMED_MS / firstMs));
  return { backend, msPerStep: steps < 2 ? firstMs : (await millisecondsOf(steps)) / steps, note: null };
}

function webglRenderer(): string | null {
  const gl = new OffscreenCanvas(1, 1).getContext("webgl2");
  if (gl === null) return null;
  const extension = gl.getExtension("WEBGL_debug_renderer_info");
  const renderer = String(
    gl.getParameter(extension === null ? gl.RENDERER : extension.UNMASKED_RENDERER_WEBGL),
  );
  gl.getExtension("WEBGL_lose_context")?.loseContext();
  return renderer;
}

async function webgpuAdapter(): Promise<{ description: string; isFallback: boolean } | null> {
  interface AdapterLike {
    readonly isFallbackAdapter?: boolean;
    readonly info?: {
      vendor: string;
      architecture: string;
      description: string;
      isFallbackAdapter?: boolean;
    };
  }
  interface GpuLike {
    requestAdapter(): Promise<AdapterLike | null>;
  }
  const { gpu } = navigator as { readonly gpu?: GpuLike };
  // tfjs rejects instead of answering where there is no adapter, so the question is asked before.
  const adapter = await gpu?.requestAdapter();
  if (adapter === null || adapter === undefined) return null;
  const { info } = adapter;
  return {
    description:
      info === undefined ? "" : [info.vendor, info.architecture, info.description].filter(Boolean).join(" "),
    isFallback: adapter.isFallbackAdapter === true || info?.isFallbackAdapter === true,
  };
}

function isSoftware(description: string): boolean {
  return /swiftshader|llvmpipe|lavapipe|softpipe|software|basic render/i.test(description);
}
