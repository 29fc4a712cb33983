// A judgment under way: each examination lights up as it finishes.

import { announce, button, el, said, tag } from "./dom.js";
import { count, says, sideOf } from "./words.js";

/**
 * Follow a judgment to its end.
 *
 * @param judgment as the API gives it
 * @param paradigms name, title and question of each examination
 * @param ended called once it has ended, with the kind of what went wrong or null; it can be asked for again then
 * @returns the element to be shown, and a function that stops following
 */
export function follow(judgment, paradigms, ended) {
  const cards = new Map();
  const list = el("ol", { class: "paradigms" });
  const state = el("p", { class: "state" });
  const bar = el("progress", { max: Math.max(1, paradigms.length), value: 0, "aria-label": "Examinations finished" });
  const card = ({ name, title, question }) => {
    const made = new Card(title ?? name, question);
    cards.set(name, made);
    list.append(made.element);
    return made;
  };
  paradigms.forEach(card);
  const done = new Set();
  const stream = new EventSource(judgment.links.events);
  const on = (name, action) => stream.addEventListener(name, (event) => action(JSON.parse(event.data)));
  on("status", ({ status, position }) => {
    const ahead = position ? `${count(position, "picture")} wait before it.` : "It is next.";
    state.textContent = status === "queued" ? `It waits its turn. ${ahead}` : "The examinations are under way.";
    if (status === "running") cards.forEach((one) => one.look());
  });
  on("reported", ({ report }) => {
    const one = cards.get(report.paradigm) ?? card({ name: report.paradigm, ...report });
    one.report(report);
    done.add(report.paradigm);
    bar.max = cards.size;
    bar.value = done.size;
    announce(`${done.size} of ${cards.size}: ${report.title}: ${says(report)}`);
    if (done.size === cards.size) state.textContent = "All examinations are in; the verdict is being put together.";
  });
  on("decided", () => finish(null));
  on("failed", ({ error }) => finish(error.kind));
  on("draining", () => {
    state.textContent = "The server is going down. The judgment is kept, and goes on when the server is back.";
  });
  stream.addEventListener("error", () => {
    state.textContent = "The connection is lost; trying again.";
    if (stream.readyState !== EventSource.CLOSED) return;
    state.replaceChildren("The connection is lost. ", button("Try again", () => ended(null)));
  });
  function finish(kind) {
    stream.close();
    ended(kind);
  }
  return { element: el("div", { class: "progress" }, state, bar, list), stop: () => stream.close() };
}

class Card {
  constructor(title, question) {
    this.result = el("span", { class: "tag neither" }, "waits");
    this.note = el("p", { class: "muted small" }, said(question ?? ""));
    this.element = el("li", { class: "card paradigm" }, el("h2", {}, said(title), " ", this.result), this.note);
  }

  look() {
    if (this.element.classList.contains("done")) return;
    this.element.classList.add("looking");
    this.result.textContent = "looks";
  }

  report(report) {
    const side = report.backend === null || report.outcome !== "answered" ? "neither" : sideOf(report.label);
    this.element.classList.remove("looking");
    this.element.classList.add("done", `side-${side}`);
    const fresh = tag(says(report), side);
    this.result.replaceWith(fresh);
    this.result = fresh;
    const time = report.seconds === null || report.seconds === undefined ? "" : ` in ${report.seconds.toFixed(1)} s`;
    if (report.outcome === "answered") this.note.textContent = `${count(report.evidence.length, "observation")}${time}`;
  }
}
