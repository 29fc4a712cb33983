// A list that comes in pages. The latest question counts, whatever order the answers arrive in.

import { button, el, problem } from "./dom.js";

/**
 * A list, empty until `load` is called.
 *
 * @param ask called with a cursor or null; resolves to { items, next_cursor, … }
 * @param entry makes the element of an item; called with its place in the list too, from 1
 * @param words what an empty list says, and the button for what follows
 * @param shown called with each page that is shown, and the list
 * @returns the elements to be shown, and `load`, which begins again with the first page
 */
export function listing(ask, entry, words, shown) {
  const list = el("ul", { class: "entries" });
  const more = el("p", { class: "row" });
  const error = problem();
  let latest = 0;
  let listed = 0;

  async function load(cursor = null) {
    const mine = ++latest;
    error.textContent = "";
    try {
      const page = await ask(cursor);
      if (mine === latest) fill(page, cursor);
    } catch (failed) {
      if (mine === latest) error.textContent = failed.message;
    }
  }

  function fill(page, cursor) {
    if (!cursor) listed = 0;
    const entries = page.items.map((item) => entry(item, ++listed));
    if (cursor) list.append(...entries);
    else list.replaceChildren(...(entries.length ? entries : [el("li", { class: "muted" }, words.empty)]));
    if (cursor) entries[0]?.querySelector("a")?.focus();
    more.replaceChildren(...(page.next_cursor ? [button(words.more, () => load(page.next_cursor))] : []));
    shown(page, list);
  }

  return { elements: [error, list, more], load: () => load() };
}
