// Elements without markup: every text goes in as a text node, so nothing in it is ever read as HTML.

const SHORT = 600; // characters that are shown before "Show all"

/** An element. `on…` attributes are listeners; null, undefined and false leave an attribute out. */
export function el(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** Untrusted text on its own: its direction does not turn what stands around it, its marks do not tower over it. */
export function said(text) {
  return el("bdi", {}, harmless(String(text ?? "")));
}

/** Untrusted text of any length: a long one is cut, and all of it opens in a box that scrolls. */
export function long(text, name = "The whole text", limit = SHORT) {
  const whole = String(text ?? "");
  if (whole.length <= limit) return said(whole);
  const start = el("span", {}, said(`${whole.slice(0, limit)}…`));
  const box = el("div", {
    class: "scroll",
    tabindex: "0",
    role: "group",
    "aria-label": name,
    dir: "auto",
    hidden: true,
  });
  const size = whole.length.toLocaleString("en");
  const toggle = el(
    "button",
    { type: "button", class: "quiet", "aria-expanded": "false" },
    `Show all ${size} characters`,
  );
  toggle.addEventListener("click", () => {
    const open = box.hidden;
    if (open) box.textContent = harmless(whole);
    box.hidden = !open;
    start.hidden = open;
    toggle.setAttribute("aria-expanded", String(open));
    toggle.textContent = open ? "Show less" : `Show all ${size} characters`;
  });
  return el("span", { class: "long" }, start, " ", toggle, box);
}

/** At most three combining marks on a letter, and nothing that reorders what follows. */
function harmless(text) {
  return text.replace(/(\p{M}{3})\p{M}+/gu, "$1").replace(/[\u202a-\u202e\u2066-\u2069]/g, "");
}

export function tag(text, side = "neither") {
  return el("span", { class: `tag ${side}` }, text);
}

export function button(text, onclick, attributes = {}) {
  return el("button", { type: "button", onclick, ...attributes }, text);
}

/** A form field with its label, and a hint that is read with it. */
export function field(label, input, hint = null) {
  const id = input.id || (input.id = `field-${crypto.getRandomValues(new Uint32Array(1))[0]}`);
  const note = hint && el("span", { class: "muted small", id: `${id}-hint` }, hint);
  if (note) input.setAttribute("aria-describedby", note.id);
  return el("div", { class: "field" }, el("label", { for: id }, label), input, note);
}

export function options(select, pairs) {
  select.append(...pairs.map(([value, text]) => el("option", { value }, text)));
  return select;
}

/** Where an error is told, at once also to those who do not see it. */
export function problem() {
  return el("p", { class: "problem", role: "alert" });
}

/** A button that asks again before it does what cannot be undone. */
export function sureButton(text, question, yes, action) {
  const dialog = el("dialog", { "aria-label": text });
  const error = problem();
  const act = async () => {
    try {
      await action();
      dialog.close();
    } catch (failed) {
      error.textContent = failed.message;
    }
  };
  const choices = el(
    "p",
    { class: "row" },
    button(yes, act, { class: "primary" }),
    button("Keep it", () => dialog.close()),
  );
  dialog.append(el("p", {}, question), error, choices);
  return el(
    "span",
    {},
    button(text, () => dialog.showModal()),
    dialog,
  );
}

export function announce(text) {
  document.getElementById("live").textContent = text;
}

/** Show a view. Its heading gets the focus, so that a screen reader reads on from there. */
export function show(title, ...children) {
  const main = document.getElementById("main");
  main.replaceChildren(...children.flat().filter(Boolean));
  document.title = title ? `${title} – sixlens` : "sixlens";
  const heading = main.querySelector("h1");
  heading?.setAttribute("tabindex", "-1");
  heading?.focus({ preventScroll: true });
  window.scrollTo(0, 0);
}

export function when(time) {
  return el(
    "time",
    { datetime: time },
    new Date(time).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" }),
  );
}

export function sized(bytes) {
  return bytes < 1e6 ? `${Math.max(1, Math.round(bytes / 1e3))} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

/** How many cases wait for a person, beside the name of that view. */
export function showWaiting(number) {
  const badge = document.getElementById("waiting");
  badge.hidden = number === 0;
  badge.replaceChildren(String(number), el("span", { class: "unseen" }, " waiting"));
}
