import * as tf from "@tensorflow/tfjs-core";
import { err, ok, type Result } from "../kernel/result.ts";
import { elementCount } from "../kernel/shape.ts";
import { scarceOpsOf } from "../layers/chain.ts";
import { lossOf } from "../layers/losses/table.ts";
import type { ScarceOp } from "../layers/ops.ts";
import type { BackendName, BackendTiming, LearnedTask } from "../task/engine.ts";
import { modelTensors, outputCountOf } from "../task/model.ts";
import { unscale } from "../task/scaling.ts";
import { targetOf } from "../task/target.ts";
import { lossLabel } from "./rows.ts";
import { train } from "./train.ts";

/*
 * The backends of tfjs. Each is loaded when it is first tried.
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

/** Operations for which a tfjs backend has no gradient kernel, with the consequence as people read it. */
const MISSING: Readonly<Partial<Record<BackendName, Readonly<Record<ScarceOp, string>>>>> = {
  wasm: {
    conv2dKernelGradient: "it cannot train convolutions",
    depthwiseConv2dGradients: "it cannot train convolutions",
  },
};

/** Time for the measured steps, after a warm-up that compiles the kernels. */
const TIMED_MS = 600;
const TIMED_STEPS_MAX = 30;
/** In nats, or in scaled units of a number. Half-precision chips stay within it; an engine that returns zeros does not. */
const LOSS_ERROR_MAX = 0.05;

/** See `Engine.use`. */
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
  /** Refused only because the GPU is emulated on the processor. */
  readonly isSoftware: boolean;
}

async function tryBackend(
  backend: BackendName,
  assets: EngineAssets,
  allowSoftware: boolean,
): Promise<Result<void, BackendProblem>> {
  // Turns off the input checks and console advice that tfjs has for development.
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
      // The threaded build hangs once a bundler has minified it. The import registers the flag; tfjs reads it only later.
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

/** See `Engine.time`. */
export async function timeBackend(
  backend: BackendName,
  task: LearnedTask,
  assets: EngineAssets,
  allowSoftware: boolean,
  onStart: () => void = () => {},
): Promise<BackendTiming> {
  const { model, training: plan } = task;
  const target = targetOf(task.features);
  // Not far from 1 when scaled, so that a wrong loss stands out.
  const label = target.kind === "classes" ? 0 : unscale(target, 1);
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
    labels: new Float32Array(plan.batchSize).fill(label),
    count: plan.batchSize,
  };
  const weights = new Float32Array(modelTensors(model).parameterCount);
  const never = new AbortController().signal;
  // With one batch per epoch, epochs are steps.
  const trainSteps = (epochs: number) =>
    train({ task, plan: { ...plan, epochs }, weights, rows, shuffleSeed: 0 }, () => {}, never);
  const millisecondsOf = async (steps: number) => {
    const beganMs = performance.now();
    await trainSteps(steps);
    return performance.now() - beganMs;
  };
  const warmUp = await trainSteps(1);
  const loss = warmUp.ok ? (warmUp.value.epochLosses[0] ?? Number.NaN) : Number.NaN;
  if (!(Math.abs(loss - lossOfZeros(task, lossLabel(target, label))) < LOSS_ERROR_MAX)) {
    return { backend, msPerStep: null, note: "its numbers are wrong" };
  }
  const firstMs = await millisecondsOf(1);
  const steps = Math.min(TIMED_STEPS_MAX, Math.floor(TIMED_MS / firstMs));
  return { backend, msPerStep: steps < 2 ? firstMs : (await millisecondsOf(steps)) / steps, note: null };
}

/** The loss of an all-zero model. A backend that gives another number computes wrongly. */
function lossOfZeros({ model, training }: LearnedTask, label: number): number {
  const weight = training.classWeights?.[label] ?? 1;
  return weight * lossOf(model, training.loss).ofRow(new Float32Array(outputCountOf(model)), label);
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
  // Ask before tfjs does: without an adapter, it rejects.
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
