import type { MonotonicClock } from "#shared/kernel/ports.ts";
import { type WireError, wireError } from "#shared/protocol/errors.ts";
import type { Place, Placed, TaskStore } from "../ports/store.ts";
import { type About, type Permission, permissionRefusal } from "./permissions.ts";
import type { Principal } from "./principal.ts";

/** How long a place is remembered. A model that another task begins to use is that task's, too, after this time. */
const LIFE_MS = 5_000;
const COUNT_MAX = 10_000;

/**
 * The tasks that runs, rounds and models belong to, remembered for seconds: a whole cohort asks for one model at once
 * (X33). A change of settings forgets all.
 */
export class Places {
  readonly #store: Pick<TaskStore, "findPlaces">;
  readonly #clock: MonotonicClock;
  readonly #known = new Map<
    string,
    { readonly places: Promise<readonly Place[]>; readonly endsAtMs: number }
  >();

  constructor({
    store,
    clock,
  }: { readonly store: Pick<TaskStore, "findPlaces">; readonly clock: MonotonicClock }) {
    this.#store = store;
    this.#clock = clock;
  }

  /** None if there is no such thing. */
  of(placed: Placed): Promise<readonly Place[]> {
    const key = `${placed.type} ${placed.id}`;
    const nowMs = this.#clock.nowMs();
    const known = this.#known.get(key);
    if (known !== undefined && nowMs < known.endsAtMs) return known.places;
    const places = this.#store.findPlaces(placed);
    const entry = { places, endsAtMs: nowMs + LIFE_MS };
    this.#known.delete(key);
    this.#known.set(key, entry);
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= COUNT_MAX) break;
      this.#known.delete(oldest);
    }
    const forget = () => {
      if (this.#known.get(key) === entry) this.#known.delete(key);
    };
    // What does not exist yet may exist the next moment.
    places.then((found) => found.length === 0 && forget(), forget);
    return places;
  }

  forget(): void {
    this.#known.clear();
  }
}

/**
 * Null if `principal` holds `permission` for something at these places; one of them is enough.
 *
 * Whoever may not even read the task gets NOT_FOUND, exactly as for what does not exist. The task itself answers
 * BY_INVITATION, as at the login of a device: whoever has lost the link has to hear what to do (X32).
 */
export function refusalAt(
  principal: Principal,
  permission: Permission,
  places: readonly Place[],
  nowUnixMs: number,
): WireError | null {
  const abouts = places.map(aboutOf);
  const refusalsOf = (asked: Permission) =>
    abouts.map((about) => permissionRefusal(principal, asked, about, nowUnixMs));
  const refusals = refusalsOf(permission);
  if (refusals.includes(null)) return null;
  const isKnown = refusalsOf("tasks.read").includes(null);
  if (isKnown || places.length === 0) return refusals[0] ?? wireError("NOT_FOUND");
  return wireError(permission === "tasks.read" ? "BY_INVITATION" : "NOT_FOUND");
}

function aboutOf({ projectId, slug, joining }: Place): About {
  return { projectId, task: { slug, joining } };
}
