import { zipSync } from "fflate";
import { expect, test } from "vitest";
import { createOwnFiles } from "#coordinator/core/tracking/own-files.ts";
import { utf8 } from "#shared/kernel/bytes.ts";
import { ok } from "#shared/kernel/result.ts";
import { ManualClock } from "#test/kit/fakes/manual-clock.ts";

/** Of a run that goes on, whose model and figures a test changes. */
function openFiles() {
  const view = { modelHash: "a", history: [{}] };
  const made: string[] = [];
  const exported = async (_id: string, format: string) => {
    made.push(`${view.modelHash} ${format}`);
    const bytes = format === "mlflow" ? zipSync({ MLmodel: utf8(view.modelHash) }) : utf8(view.modelHash);
    return ok({ fileName: "weights.safetensors", mediaType: "", bytes });
  };
  const run = { isOwn: true, experimentId: "1", endTime: null };
  const noRounds = async () => ({ items: [], next: null });
  const store = { findTrackedRun: async () => ({ run }), showRun: async () => ({ view }) };
  const clock = new ManualClock();
  const files = createOwnFiles(
    { store, clock } as never,
    { exports: { ofRun: exported }, rounds: { listRounds: noRounds } } as never,
  );
  const read = async (path: string) => {
    const served = await files.open("default", `1/r/artifacts/${path}`);
    return served && new Response(served.stream).text();
  };
  return { files, read, made, view, clock };
}

test("[L6] files of a run that goes on are made once for each model, and again with its figures", async () => {
  const { files, read, made, view, clock } = openFiles();
  expect((await files.list("default", "1/r/artifacts"))?.map(({ path }) => path)).toEqual([
    "model",
    "weights",
  ]);
  expect(await read("model/MLmodel")).toBe("a");
  expect(await read("weights/weights.safetensors")).toBe("a");
  expect(made).toEqual(["a mlflow", "a safetensors"]);
  view.modelHash = "b";
  expect(await read("model/MLmodel")).toBe("b");
  expect(await read("weights/weights.safetensors")).toBe("b");
  expect(made.slice(2)).toEqual(["b mlflow", "b safetensors"]);
  view.history.push({});
  await read("model/MLmodel");
  expect(made).toHaveLength(6);
  clock.advance(60_001);
  await read("model/MLmodel");
  expect(made).toHaveLength(8);
});
