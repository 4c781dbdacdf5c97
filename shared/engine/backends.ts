import * as tf from "@tensorflow/tfjs-core";
import { err, ok, type Result } from "../kernel/result.ts";
import { scarceOpsOf } from "../layers/chain.ts";
import { lossOf } from "../layers/losses/table.ts";
import { elementCount, type ScarceOp } from "../layers/ops.ts";
import type { BackendName, BackendTiming } from "../task/engine.ts";
import { type ModelSpec, modelTensors } from "../task/model.ts";
import type { TrainingPlan } from "../task/task.ts";
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

export interface EngineAssets {
  /** Addresses of the three wasm files by their names in tfjs-backend-wasm; null if Node finds them itself. */
  readonly wasmPaths: Readonly<Record<string, string>> | null;
}

/** What tfjs has no gradient kernel for, and what that means for a person. */
const MISSING: Readonly<Partial<Record<BackendName, Readonly<Record<ScarceOp, string>>>>> = {
  wasm: { conv2dKernelGradient: "it cannot train convolutions" },
};

/** After the warm-up, which compiles. */
const TIMED_MS = 600;
const TIMED_STEPS_MAX = 30;
/** In nats. Half-precision chips are within it; an engine that answers zeros is not. */
const LOSS_ERROR_MAX = 0.05;

/** As `Engine.use`. */
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

/** As `Engine.time`. */
export async function timeBackend(
  backend: BackendName,
  model: ModelSpec,
  plan: TrainingPlan,
  assets: EngineAssets,
  allowSoftware: boolean,
  onStart: () => void = () => {},
): Promise<BackendTiming> {
  const lack = scarceOpsOf(model).map((op) => MISSING[backend]?.[op])[0];
  if (lack !== undefined) return { backend, msPerStep: null, note: lack };
  const used = await tryBackend(backend, assets, allowSoftware);
  if (!used.ok) {
    const { reason, isSoftware: emulated } = used.error;
    return { backend, msPerStep: null, note: reason, ...(emulated ? { untimed: "software" } : {}) };
  }
  onStart();
  const rows = {
    inputs: new Float32Array(plan.batchSize * elementCount(model.inputShape)),
    labels: new Int32Array(plan.batchSize),
    count: plan.batchSize,
  };
  const weights = new Float32Array(modelTensors(model).parameterCount);
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
  if (!(Math.abs(loss - lossOf(model).ofZeros(model.classCount)) < LOSS_ERROR_MAX)) {
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
