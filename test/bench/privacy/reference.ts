import { tmpdir } from "node:os";
import { z } from "zod";
import { pythonWith, runPython } from "#test/kit/exports/python.ts";

export interface Setting {
  readonly name: string;
  readonly q: number;
  readonly sigma: number;
  readonly steps: number;
  readonly delta: number;
}

const SCRIPT = `
import json, os, time
from dp_accounting import dp_event as e
from dp_accounting.rdp import rdp_privacy_accountant as r
from dp_accounting.pld import privacy_loss_distribution as p
orders = [1 + x / 10 for x in range(1, 100)] + list(range(11, 64)) + [128, 256, 512, 1024]
out = []
for s in json.loads(os.environ["SETTINGS"]):
    def rdp():
        a = r.RdpAccountant(orders)
        a.compose(e.PoissonSampledDpEvent(s["q"], e.GaussianDpEvent(s["sigma"])), s["steps"])
        return a.get_epsilon_and_optimal_order(s["delta"])
    def pld():
        d = p.from_gaussian_mechanism(s["sigma"], sampling_prob=s["q"], value_discretization_interval=1e-4, use_connect_dots=True)
        return d.self_compose(s["steps"]).get_epsilon_for_delta(s["delta"])
    def timed(f):
        f()
        began = time.perf_counter()
        value = f()
        return value, (time.perf_counter() - began) * 1000
    (rdp_epsilon, order), rdp_ms = timed(rdp)
    pld_epsilon, pld_ms = timed(pld)
    out.append(dict(rdp=rdp_epsilon, order=order, rdpMs=rdp_ms, pld=pld_epsilon, pldMs=pld_ms))
print(json.dumps(out))
`;

const answerSchema = z.array(
  z.object({ rdp: z.number(), order: z.number(), rdpMs: z.number(), pld: z.number(), pldMs: z.number() }),
);
export type Reference = z.infer<typeof answerSchema>[number];

/** What Python's dp-accounting says of each setting, and how long it takes; null if it cannot be fetched. */
export async function askReference(settings: readonly Setting[]): Promise<readonly Reference[] | null> {
  const python = await pythonWith(["dp-accounting==0.6.0"]);
  if (python === null) return null;
  const answer = await runPython(python, SCRIPT, tmpdir(), { SETTINGS: JSON.stringify(settings) });
  return answerSchema.parse(JSON.parse(answer.trim().split("\n").at(-1) ?? ""));
}
