import { renderToStaticMarkup } from "react-dom/server";
import { describe, expect, test } from "vitest";
import type { TableView } from "#client/index.ts";
import { readText } from "#shared/data/read-csv.ts";
import { featuresSchema } from "#shared/task/features.ts";
import { TableReview } from "#web/features/join/table-review.tsx";

const features = featuresSchema.parse({
  kind: "tabular",
  columns: [
    { name: "age_years", title: "Age", type: "numeric", range: [10, 100], unit: "years" },
    { name: "smoker", type: "categorical", categories: ["no", "former", "yes"] },
  ],
  label: { name: "readmitted" },
  classes: ["no", "yes"],
});
const nothing = () => {};

function shown(text: string): string {
  const { look, outcome } = readText(text, features, { takesUnsure: true });
  return markup({
    look,
    report: outcome.ok ? outcome.value.report : null,
    refusal: outcome.ok ? null : outcome.error,
    pictures: [],
  });
}

function markup(view: TableView): string {
  return renderToStaticMarkup(
    <TableReview
      task="readmission"
      view={view}
      features={features}
      said={null}
      busy={false}
      onSay={nothing}
      onSet={nothing}
      onDownload={nothing}
      onDownloadMapping={nothing}
      onAdd={nothing}
      onLeave={nothing}
      another={<button type="button">Choose another file</button>}
    />,
  );
}

describe("[F2] [F7] a table before it is added", () => {
  test("that fits as it is asks nothing", () => {
    const html = shown("age_years,smoker,readmitted\n71,no,yes\n58,yes,no\n");
    expect(html).toContain("Your file fits");
    expect(html).toContain("2 rows read, 2 taken, 0 left out");
    expect(html).toContain("Add 2 rows");
    expect(html).not.toContain("<select");
    expect(html).not.toContain("Remember these choices");
  });

  test("with other words inside shows them, the account and its reasons", () => {
    const html = shown("Age;Smoker;readmitted;Ward\n71;never;yes;A\n58;yes;no;B\n5;no;no;B\n");
    expect(html).toContain("One of your columns needs a look");
    expect(html).toContain("“never”, 1");
    expect(html).toContain("3 rows read, 1 taken, 2 left out");
    expect(html).toContain("“age_years” below 10; the task takes 10 to 100");
    expect(html).toContain("1 column ignored: Ward.");
    expect(html).toContain("Yes, add 1 row");
    expect(html).toContain("10 to 100 years");
    expect(html).toContain("Remember these choices in this browser");
    expect(html).toContain("Download these choices");
    // Its row lies on the wash, and a phone's bar counts what is open.
    expect(html.match(/<tr class="(?:opened|marked)"/g)).toHaveLength(1);
    expect(html).toContain("1 of 3 rows; 1 column to check");
    expect(html).toContain("2 of 3 columns were found. Say whether the other one is right, and 1 of 3 rows");
  });

  test("of an archive with several is a question with a button for each", () => {
    const choices = ["2023/a.csv", "2024/a.csv"];
    const refusal = {
      type: "several-sets",
      sentence: "“x.zip” holds several sets.",
      problems: [],
      choices,
    } as const;
    const html = markup({ look: null, report: null, refusal, pictures: [] });
    for (const name of choices) expect(html).toMatch(new RegExp(`<button[^>]*>${name}</button>`));
    expect(html).not.toMatch(/dd \d+ row/);
  });

  test("without what is learnt cannot be added, and says why", () => {
    const html = shown("age_years,smoker\n71,no\n");
    expect(html).toContain("Your file has nothing for “readmitted”. Without it no row can teach anything.");
    expect(html).not.toMatch(/dd \d+ row/);
    expect(html).toContain("not in my file");
  });
});
