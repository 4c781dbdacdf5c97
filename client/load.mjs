// Uses a model of a public task on any page, in the browser:
//
//   import { load } from "https://host/api/v1/load.js";
//   const model = await load("https://host/models/digits@champion");
//   model.predict(pixels)        answers { label, probabilities } or { prediction, unit }
//   model.version, model.run     which model it is
//
// digits@champion follows what is in use; digits@12 is always version 12. Of the input nothing leaves the page. A model that
// was loaded once is kept in this browser's cache and loads without a network; `model.isFromCache` says so. A page with a
// content security policy must allow script-src blob: and connect-src of the host.
//
// Only pages of the host, and of sites that its CHORUS_ORIGINS names, can read its refusals. To pages of other sites a refusal
// looks like an outage: if the task is by invitation by now, or the alias is gone, they go on with the model that they loaded
// last, and `model.isFromCache` is true.

/** Holds one answer and one model for each reference. */
const CACHE = "chorus-models";
/** <host>/models/<task>@<alias or version> */
const REFERENCE = /^\/models\/([a-z0-9][a-z0-9-]*)@([a-z]+|[1-9][0-9]*)$/;

/** Throws a TypeError for a malformed reference, and an Error that says what to do if there is no such model here. */
export async function load(reference) {
  const { href, api, slug, name } = readReference(reference);
  const cache = typeof caches === "undefined" ? null : await caches.open(CACHE).catch(() => null);
  const found = await newest({ cache, href, task: `${api}/tasks/${slug}`, name });
  const { predict, model } = await importText(found.source);
  const { version, runNumber: run, round, measures } = found.answer;
  return { predict, version, run, round, measures, features: model.features, isFromCache: found.isFromCache };
}

function readReference(reference) {
  const url = URL.parse(reference, globalThis.location?.href);
  const [, slug, name] = REFERENCE.exec(url?.pathname ?? "") ?? [];
  if (url === null || slug === undefined)
    throw new TypeError(
      `${reference} is no model. Write https://host/models/task@champion, or @12 for version 12.`,
    );
  return { href: url.origin + url.pathname, api: `${url.origin}/api/v1`, slug, name };
}

/** What the coordinator says now. Without an answer from it, what was loaded last. */
async function newest(asked) {
  const { cache, href, task, name } = asked;
  const path = /^[0-9]/.test(name) ? `models/${name}` : `aliases/${name}`;
  try {
    const answer = JSON.parse(await fetched(`${task}/${path}`, { cache: "no-cache" }));
    const source =
      (await textAt(cache, modelKey(href, answer))) ??
      (await fetched(`${task}/models/${answer.version}/exports/javascript`, {}));
    await remember(cache, href, answer, source);
    return { answer, source, isFromCache: false };
  } catch (fault) {
    // A refusal that the page may read is the coordinator's word: what it took back is not used any longer. Pages of sites
    // that CHORUS_ORIGINS does not name never read one (W28).
    if (fault.isRefusal) throw fault;
    const answer = JSON.parse((await textAt(cache, answerKey(href))) ?? "null");
    const source = answer === null ? undefined : await textAt(cache, modelKey(href, answer));
    if (source === undefined) throw fault;
    return { answer, source, isFromCache: true };
  }
}

async function fetched(url, options) {
  const answer = await fetch(url, { credentials: "omit", ...options }).catch(() => null);
  if (answer?.ok) return answer.text();
  const reason = answer === null ? "no answer that this page may read" : `status ${answer.status}`;
  const fault = new Error(
    `The model cannot be loaded (${reason} from ${url}). Check that its task is public, that there is such a version or alias, and that the coordinator can be reached.`,
  );
  const isOutage = answer === null || answer.status === 429 || answer.status >= 500;
  throw Object.assign(fault, { isRefusal: !isOutage });
}

const answerKey = (href) => `${href}?answer`;
const modelKey = (href, { modelHash }) => `${href}?model=${modelHash}`;

async function textAt(cache, key) {
  return (await cache?.match(key))?.text();
}

/** The model first: an answer without its model would end what works offline. A full cache is no reason to fail. */
async function remember(cache, href, answer, source) {
  if (cache === null) return;
  try {
    const key = modelKey(href, answer);
    await cache.put(key, new Response(source));
    await cache.put(answerKey(href), new Response(JSON.stringify(answer)));
    for (const { url } of await cache.keys())
      if (url.startsWith(`${href}?model=`) && url !== key) await cache.delete(url);
  } catch {
    // The page uses the model from memory.
  }
}

async function importText(source) {
  const address = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  try {
    return await import(address);
  } finally {
    URL.revokeObjectURL(address);
  }
}
