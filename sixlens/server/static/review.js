// Cases that wait for a person. Of some the tool's label is withheld until the person has decided.

import * as api from "./api.js";
import { announce, el, field, long, options, problem, said, show, showWaiting, tag, when } from "./dom.js";
import { listing } from "./listing.js";
import { linked, marksOf, numberLink, pictureWith } from "./regions.js";
import { decided, legend, verdictParts } from "./verdict.js";
import { DECISIONS, REASONS, count } from "./words.js";

let reviewer = ""; // remembered while the page is open

export async function queueView() {
  const status = options(el("select"), [
    ["waiting", "waiting"],
    ["decided", "decided"],
    ["all", "all"],
  ]);
  const ask = (cursor) =>
    api.reviews(new URLSearchParams({ status: status.value, limit: 20, ...(cursor ? { cursor } : {}) }));
  const shown = (page) => announce(`${count(page.waiting, "case")} waiting`);
  const words = { empty: "No case is here.", more: "Show further ones" };
  const { elements, load } = listing(ask, entry, words, shown);
  status.addEventListener("change", load);
  show(
    "Review",
    el("h1", {}, "Cases for a person"),
    el(
      "p",
      { class: "lead" },
      "The tool hands over what it could not decide, what was objected to, and a few decided cases by chance.",
    ),
    el("div", { class: "filters" }, field("Show", status)),
    ...elements,
    el(
      "p",
      { class: "row" },
      el(
        "a",
        { class: "button", href: "/v1/reviews/export?format=csv", download: "labels.csv" },
        "Download decisions as labels",
      ),
    ),
  );
  await load();
}

function entry(item, place) {
  const name = item.image.name === null ? `Case ${place}, without its name` : said(item.image.name.slice(0, 120));
  return el(
    "li",
    { class: "card" },
    el("h2", { class: "name" }, el("a", { href: `#/review/${item.id}` }, name)),
    el("p", { class: "row" }, tag(item.status), item.blind && tag("label withheld")),
    el("p", {}, `Here because: ${REASONS[item.reason] ?? item.reason}.`),
    el("p", { class: "muted small" }, when(item.created_at), item.reference && [" · ", said(item.reference)]),
  );
}

export async function reviewView(id) {
  const item = await api.review(id);
  // Kept here, since the server may let go of it as soon as the case is decided.
  const picture = item.image.kept ? URL.createObjectURL(await api.reviewPicture(id)) : null;
  await showCase(item, picture);
  return () => picture && URL.revokeObjectURL(picture);
}

async function showCase(item, picture) {
  const over = item.decisions.length > 0;
  const next = over ? (await api.reviews("limit=1")).items[0] : null;
  const seen = item.blind ? [blindEvidence(item, picture)] : await openEvidence(item, picture);
  // Beside the evidence, and after the picture.
  if (item.status !== "closed")
    seen
      .map((part) => part.querySelector("section[aria-labelledby=picture]"))
      .find(Boolean)
      .append(decisionForm(item, picture));
  const title = item.blind ? "What do you see?" : "A case for a person";
  const why = `Here because: ${REASONS[item.reason] ?? item.reason}.`;
  show(
    title,
    el("h1", {}, title),
    el("p", { class: "muted" }, why, " ", when(item.created_at)),
    item.blind &&
      el("p", { class: "card" }, "Look for yourself first: what the tool came to is shown once you have decided."),
    item.appeal &&
      el(
        "section",
        { class: "card", "aria-label": "The appeal" },
        el("p", {}, "Somebody objected: ", long(item.appeal, "The appeal")),
      ),
    over &&
      el(
        "section",
        { class: "card decision", "aria-label": "Decisions" },
        el("h2", {}, "Decided"),
        el("ul", {}, item.decisions.map(decided)),
        nextLink(next),
      ),
    ...seen,
  );
}

/** To the case that waits longest, or to the list when none does. */
function nextLink(next) {
  const [address, text] = next ? [`#/review/${next.id}`, "To the next case"] : ["#/review", "To the list of cases"];
  return el("p", {}, el("a", { class: "button", href: address }, text));
}

function blindEvidence(item, picture) {
  const marks = marksOf(item.evidence);
  const size = item.image;
  const alt = "The picture to be decided. What was pointed at stands beside it.";
  const cards = item.evidence.map((one, place) => {
    const mark = picture && marks.find((other) => other.place === place);
    return el(
      "article",
      { class: "card evidence side-neither", id: mark && `evidence-${mark.number}` },
      el("h3", {}, mark && [numberLink(mark), " "], said(one.name)),
      el("p", {}, long(one.phenomenon || "Nothing more was said.", "What was pointed at")),
    );
  });
  const left = el(
    "section",
    { "aria-labelledby": "picture" },
    el("h2", { id: "picture" }, "The picture"),
    picture ? pictureWith(picture, alt, size, marks) : el("p", {}, "The picture is not kept any more."),
  );
  const right = el(
    "section",
    { "aria-labelledby": "evidence" },
    el("h2", { id: "evidence" }, "What was pointed at"),
    cards.length ? cards : el("p", {}, "Nothing was pointed at."),
  );
  const look = el("div", { class: "look" }, left, right);
  linked(look);
  return look;
}

async function openEvidence(item, picture) {
  const judgment = await api.judgment(item.judgment);
  const { sections, rest } = await verdictParts(judgment, picture);
  const label = sections.get("label");
  const heading = label.querySelector("h1");
  heading.replaceWith(el("h2", { id: "label", class: "came-to" }, heading.textContent));
  const link = el("p", {}, el("a", { href: `#/judgment/${item.judgment}` }, "Open the judgment"));
  label.append(link);
  sections.get("yours")?.remove();
  return [label, ...rest.filter((section) => !["yours", "person"].includes(section.getAttribute("aria-labelledby")))];
}

function decisionForm(item, picture) {
  const radios = Object.entries(DECISIONS).map(([value, text]) => {
    const input = el("input", { type: "radio", name: "decision", value, id: `decision-${value}`, required: true });
    return el("p", { class: "choice" }, input, " ", el("label", { for: input.id }, text));
  });
  const name = el("input", { type: "text", required: true, maxlength: "200", autocomplete: "name", value: reviewer });
  const note = el("textarea", { rows: "3", maxlength: "4000" });
  const error = problem();
  const send = el("button", { type: "submit", class: "primary" }, item.decisions.length ? "Decide again" : "Decide");
  const submit = async (event) => {
    event.preventDefault();
    send.disabled = true;
    error.textContent = "";
    reviewer = name.value.trim();
    const decision = new FormData(event.target).get("decision");
    try {
      const shown = await api.decide(item.id, { decision, note: note.value, reviewer });
      if (!form.isConnected) return;
      await showCase(shown, picture);
      announce("Decided. What the tool came to is shown now.");
      showWaiting((await api.reviews("limit=1")).waiting);
    } catch (failed) {
      error.textContent = failed.message;
      send.disabled = false;
    }
  };
  const form = el(
    "form",
    { class: "card decide", "aria-label": "Your decision", onsubmit: submit },
    el("fieldset", {}, el("legend", {}, "Your decision"), radios),
    field("Why", note, "Kept with the decision."),
    field("Your name", name),
    error,
    send,
  );
  if (!item.decisions.length) return form;
  return el("details", {}, el("summary", {}, "Decide again"), form);
}
