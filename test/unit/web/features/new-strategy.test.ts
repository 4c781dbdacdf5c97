import { createElement } from "react";
import { renderToStaticMarkup } from "react-dom/server";
import { describe, expect, test, vi } from "vitest";
import type { StrategySpec } from "#shared/strategy/index.ts";
import { strategyOptions } from "#shared/strategy/options.ts";
import { taskViewOf } from "#test/kit/web-views.ts";
import { formFor, type LaunchErrors, launchOf, optionsFor } from "#web/features/home/launch.ts";
import { RestOfPlan } from "#web/features/home/launch-inputs.tsx";

/* Adding a strategy takes one file and one entry in the list; the launch form offers its options from the schema. */

vi.mock("#shared/strategy/list.ts", async (original) => {
  const { STRATEGIES } = await original<typeof import("#shared/strategy/list.ts")>();
  const { halves } = await import("#test/kit/dummies/halves.ts");
  return { STRATEGIES: [...STRATEGIES, halves] };
});

const kind = "halves" as StrategySpec["kind"];
const view = taskViewOf();
const form = { ...formFor(view), strategy: kind, options: optionsFor(view, kind) };

describe("a strategy added to the list", () => {
  test("has its options in the launch form, each with its default", () => {
    expect(strategyOptions(kind).map(({ name, start }) => [name, start])).toEqual([
      ["serverLearningRate", 0.5],
      ["needs", "metrics"],
    ]);
    const inputs = (errors: LaunchErrors) =>
      renderToStaticMarkup(createElement(RestOfPlan, { view, form, errors, set: () => {} }));
    expect(inputs({})).toMatch(/<input id="launch-strategy.serverLearningRate"[^>]*value="0.5"/);
    expect(inputs({})).toMatch(
      /<label for="launch-strategy.needs">Needs<\/label><select [^>]*><option selected="">metrics<\/option><option>variate</,
    );
    expect(inputs({})).not.toMatch(/<details[^>]*open/);
    const wrong = inputs({ "strategy.serverLearningRate": "A number." });
    expect(wrong).toMatch(/<details[^>]*open/);
    expect(wrong).toMatch(/id="launch-strategy.serverLearningRate-error"[^>]*>A number\.</);
  });

  test("is launched with them, and says what a wrong option's range is", () => {
    const launched = launchOf({ ...form, options: { ...form.options, needs: "variate" } }, view, 0);
    expect(launched).toMatchObject({
      ok: true,
      value: { strategy: { kind: "halves", serverLearningRate: 0.5, needs: "variate" } },
    });
    const wrong = { ...form.options, serverLearningRate: "2" };
    expect(launchOf({ ...form, options: wrong }, view, 0)).toEqual({
      ok: false,
      error: { "strategy.serverLearningRate": "A number above 0, at most 1, such as 0.5." },
    });
  });
});
