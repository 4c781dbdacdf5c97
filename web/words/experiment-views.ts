import { z } from "zod";

/* Views of `/experiments` that someone has given a name. They are kept in the browser; each is an address. Pure. */

const viewSchema = z.object({
  name: z.string().min(1).max(60),
  /** The address after "?": filter, columns, order, choice. */
  query: z.string().max(4_000),
});
export type NamedView = z.infer<typeof viewSchema>;

const VIEWS_MAX = 30;
export const VIEW_NAME_MAX = 60;

/** What was kept before; nothing if it does not read. */
export function readViews(text: string | null): readonly NamedView[] {
  if (text === null) return [];
  try {
    const parsed = z.array(viewSchema).max(VIEWS_MAX).safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : [];
  } catch {
    return [];
  }
}

export type Saved =
  | { readonly ok: true; readonly views: readonly NamedView[]; readonly said: string }
  | { readonly ok: false; readonly sentence: string };

/** Keeps a view under a name, in place of one of the same name, in the order of names. */
export function withView(views: readonly NamedView[], asked: string, query: string): Saved {
  const name = asked.trim();
  if (name === "") return { ok: false, sentence: "Give the view a name." };
  if (name.length > VIEW_NAME_MAX)
    return { ok: false, sentence: `A name has at most ${VIEW_NAME_MAX} characters.` };
  const others = views.filter((view) => view.name !== name);
  if (others.length === VIEWS_MAX)
    return { ok: false, sentence: `This browser keeps at most ${VIEWS_MAX} views. Remove one first.` };
  const all = [...others, { name, query }].toSorted((one, other) => (one.name < other.name ? -1 : 1));
  const said = others.length < views.length ? `‘${name}’ is this view now.` : `Saved as ‘${name}’.`;
  return { ok: true, views: all, said };
}

export function withoutView(views: readonly NamedView[], name: string): readonly NamedView[] {
  return views.filter((view) => view.name !== name);
}
