// What was judged so far, newest first.

import * as api from "./api.js";
import { announce, el, field, long, options, said, show, tag, when } from "./dom.js";
import { listing } from "./listing.js";
import { DECISIONS, LABELS, STATUS, sideOf } from "./words.js";

const PAGE = 20;

export async function historyView() {
  const status = options(el("select"), [["", "any"], ...Object.entries(STATUS)]);
  const label = options(el("select"), [["", "any"], ...Object.entries(LABELS)]);
  const reference = el("input", { type: "search", maxlength: "200" });
  const since = el("input", { type: "date" });
  const until = el("input", { type: "date" });
  const files = el("p", { class: "row" });
  const chosen = () => query({ status, label, reference, since, until });
  let filters = {};
  const ask = (cursor) => {
    if (!cursor) filters = chosen();
    return api.judgments(new URLSearchParams({ ...filters, limit: PAGE, ...(cursor ? { cursor } : {}) }));
  };
  const shown = (_, list) => {
    files.replaceChildren(...["csv", "jsonl"].map((format) => exported(filters, format)));
    announce(`${list.querySelectorAll("a").length} shown`);
  };
  const { elements, load } = listing(ask, entry, { empty: "Nothing here.", more: "Show older ones" }, shown);
  const form = el(
    "form",
    {
      class: "filters",
      role: "search",
      "aria-label": "Filter",
      onsubmit: (event) => event.preventDefault(),
      onchange: load,
    },
    field("Status", status),
    field("Label", label),
    field("Your name for it", reference),
    field("From", since),
    field("To", until),
  );
  show("History", el("h1", {}, "History"), form, ...elements, files);
  await load();
}

/** The filters as the API takes them: days begin and end by this browser's clock. */
function query({ status, label, reference, since, until }) {
  const day = (input, days) => {
    const [year, month, date] = input.value.split("-").map(Number);
    return new Date(year, month - 1, date + days).toISOString();
  };
  const filters = { status: status.value, label: label.value, reference: reference.value.trim() };
  if (since.value) filters.since = day(since, 0);
  if (until.value) filters.until = day(until, 1);
  return Object.fromEntries(Object.entries(filters).filter(([, value]) => value));
}

function exported(filters, format) {
  const address = `/v1/judgments/export?${new URLSearchParams({ ...filters, format })}`;
  return el(
    "a",
    { class: "button", href: address, download: `judgments.${format}` },
    `Download as ${format === "csv" ? "CSV" : "JSON lines"}`,
  );
}

function entry(item) {
  const outcome = item.label ? tag(LABELS[item.label], sideOf(item.label)) : tag(STATUS[item.status]);
  const decision = item.decision && tag(`a person: ${DECISIONS[item.decision.decision].toLowerCase()}`);
  return el(
    "li",
    { class: "card" },
    el("h2", { class: "name" }, el("a", { href: `#/judgment/${item.id}` }, said(cut(item.image.name)))),
    el(
      "p",
      { class: "row" },
      outcome,
      decision,
      item.review.status === "waiting" && tag("waits for a person"),
      item.superseded_by && tag("a newer one exists"),
    ),
    item.headline && el("p", {}, long(item.headline, "The headline", 400)),
    item.error && el("p", { class: "problem" }, long(item.error.message, "What went wrong", 400)),
    el(
      "p",
      { class: "muted small" },
      when(item.created_at),
      ` · ${item.ensemble}`,
      item.reference && [" · ", said(item.reference)],
    ),
  );
}

function cut(name) {
  return name.length > 120 ? `${name.slice(0, 120)}…` : name;
}
