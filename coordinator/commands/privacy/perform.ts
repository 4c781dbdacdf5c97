import { primitives, randomBytes } from "#shared/node/system.ts";
import { ACCOUNTANTS } from "#shared/privacy/accountant.ts";
import { sigmaForEpsilon } from "#shared/privacy/calibrate.ts";
import { AUDIT_SETTING, type AuditReport, auditMechanism } from "./mechanism-audit.ts";
import type { PrivacyOptions } from "./options.ts";

export async function performPrivacy(options: PrivacyOptions): Promise<number> {
  switch (options.type) {
    case "epsilon":
      return showEpsilon(options);
    case "sigma":
      return showSigma(options);
    case "audit": {
      const report = await auditMechanism({ primitives, random: randomBytes }, options.runs);
      console.log(options.json ? JSON.stringify(report) : auditLines(report, options.runs).join("\n"));
      return report.passed ? 0 : 1;
    }
  }
}

type OptionsOf<Type> = Extract<PrivacyOptions, { readonly type: Type }>;

function showEpsilon({ q, sigma, steps, delta, accountant, json }: OptionsOf<"epsilon">): number {
  const event = {
    type: "poisson-sampled",
    probability: q,
    event: { type: "gaussian", noiseMultiplier: sigma },
  } as const;
  const epsilon = ACCOUNTANTS[accountant]().compose(event, steps).epsilon(delta);
  // JSON has no infinity; as a string it is read back as one.
  const value = Number.isFinite(epsilon) ? epsilon : "Infinity";
  const cost = Number.isFinite(epsilon) ? String(epsilon) : "infinite: without noise nothing is protected";
  console.log(
    json
      ? JSON.stringify({ epsilon: value, delta, accountant })
      : `epsilon ${cost} at delta ${delta}, by ${accountant}, for the continuous Gaussian`,
  );
  return 0;
}

function showSigma({ epsilon, q, steps, delta, accountant, json }: OptionsOf<"sigma">): number {
  const found = sigmaForEpsilon({ epsilon, delta, q, steps, accountant });
  if (!found.ok) {
    const { epsilonMin } = found.error;
    // Rounded up, so that what the sentence says works.
    const least = Math.ceil(epsilonMin * 1e6) / 1e6;
    console.error(
      `No sigma up to 10,000 reaches epsilon ${epsilon} at delta ${delta}. Ask for at least ${least}, or take fewer steps.`,
    );
    return 1;
  }
  console.log(
    json
      ? JSON.stringify({ sigma: found.value, epsilon, delta, accountant })
      : `sigma ${found.value} for epsilon ${epsilon} at delta ${delta}, by ${accountant}, for the continuous Gaussian`,
  );
  return 0;
}

function auditLines({ checks, attack, passed }: AuditReport, runs: number): string[] {
  const { tprLower, fprUpper, epsilonLower, claim } = attack;
  return [
    `${runs} sums of three devices with a canary and ${runs} without, at noise multiplier ${AUDIT_SETTING.noiseMultiplier} and delta 1e-5`,
    ...checks.map(({ name, value, claim: expected, tolerance, passed: isRight }) => {
      return `${isRight ? "ok   " : "WRONG"} ${name}: ${value.toFixed(4)}, claimed ${expected}, passes within ${tolerance.toFixed(4)}`;
    }),
    `${epsilonLower <= claim ? "ok   " : "WRONG"} an attack proves epsilon ${epsilonLower.toFixed(3)} at least (true positives ${tprLower.toFixed(4)}, false positives ${fprUpper.toFixed(4)}), claimed ${claim.toFixed(3)}`,
    passed
      ? "The noise is as claimed, as far as these sums can tell."
      : "The noise is not as claimed: do not release sums that this program makes.",
  ];
}
