import { expect, test } from "vitest";
import { type ConsentEntry, consentReceipt, consentReceiptText } from "#shared/task/consent-ledger.ts";
import { taskSliceOf } from "#test/kit/web-views.ts";
import { consentText, consentWords } from "#web/words/join.ts";
import { contributionsTexts, ownRecordsWords } from "#web/words/own-records.ts";

const slice = taskSliceOf(8);
const KEY = "ab".repeat(32);
const AGREED_AT = "2026-07-08T14:36:00.000Z";

const agreed: ConsentEntry = {
  act: "agreed",
  at: AGREED_AT,
  coordinator: "https://c.example",
  taskHash: "7a".repeat(32),
  task: slice.task,
  authority: { projectId: "default", codeVersion: "1.2.3", issuerKey: KEY, logKey: "0".repeat(64) },
  words: consentText(consentWords(slice, false)),
};
const withdrawn: ConsentEntry = { ...agreed, act: "withdrawn", at: "2026-07-08T14:37:00.000Z", words: null };

test("[A70] the ledger's text holds every sentence and list that the page shows before the box is ticked", () => {
  const { paragraph, staysHere, leaves, warnings, box } = consentWords(slice, false);
  const lines = consentText({ paragraph, staysHere, leaves, warnings, box }).split("\n");
  expect(lines[0]).toBe(paragraph);
  for (const line of [...staysHere, ...leaves, ...warnings]) expect(lines).toContain(`- ${line}`);
  expect(lines.at(-1)).toBe(box);
});

test("[A70] the page says each act with its version and time", () => {
  expect(ownRecordsWords([agreed, withdrawn], []).acts).toEqual([
    `Agreed to version ${slice.task.version}, 8 July 2026, 14:36 UTC`,
    `Withdrew from version ${slice.task.version}, 8 July 2026, 14:37 UTC`,
  ]);
  expect(ownRecordsWords([], [{}]).offer).toContain("1 round ");
});

test("[A70] the receipt for machines holds words, version, hash, time, coordinator and keys of each act", () => {
  const receipt = consentReceipt([agreed, withdrawn]);
  expect(receipt.format).toBe("chorus-consents/1");
  expect(receipt.acts[0]).toEqual({
    act: "agreed",
    at: "2026-07-08T14:36:00.000Z",
    coordinator: "https://c.example",
    task: slice.task.slug,
    version: slice.task.version,
    taskHash: "7a".repeat(32),
    authority: agreed.authority,
    words: agreed.words,
    agreedTo: slice.task,
  });
  expect(receipt.acts[1]).toMatchObject({ act: "withdrawn", at: "2026-07-08T14:37:00.000Z", words: null });
});

test("[A70] the receipt for people says that the device wrote it, and where no words were kept", () => {
  const text = consentReceiptText([agreed, { ...agreed, words: null }, withdrawn]);
  expect(text).toContain("nobody has signed it");
  expect(text).toContain(agreed.words ?? "");
  expect(text.match(/kept no words/g)).toHaveLength(1);
  expect(text.match(/\n---\n/g)).toHaveLength(3);
  expect(text).toContain(`issuer ${KEY}`);
});

test("[A71] the texts of my contributions count the rounds and the sums, and say what the coordinator holds", () => {
  const [readme, json, text] = contributionsTexts(
    "digits",
    [agreed],
    [{ outcome: null }, { outcome: { kind: "dropped", code: "STATE", sentence: "", sent: false, at: 0 } }],
  );
  expect([readme?.name, json?.name, text?.name]).toEqual(["README.txt", "consents.json", "consents.txt"]);
  expect(readme?.text).toContain("It lists 2 rounds; your list is in the sum of 0.");
  expect(readme?.text).toContain("its public key, and when it first came");
  expect(JSON.parse(json?.text ?? "")).toEqual(JSON.parse(JSON.stringify(consentReceipt([agreed]))));
});
