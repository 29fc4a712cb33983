// One judgment: its progress, then the verdict in the report's own words, with the picture beside its evidence.

import { adopt } from "./adopt.js";
import * as api from "./api.js";
import { announce, el, field, long, problem, said, show, sureButton, when } from "./dom.js";
import { keepOwn, ownPicture } from "./judge.js";
import { follow } from "./progress.js";
import { linked, marksOf, numberLink, pictureWith } from "./regions.js";
import { DECISIONS, REASONS, count } from "./words.js";

const BEFORE = ["person", "meaning"]; // what stands before the picture in a report
const SHOWN_WORDS = 2000; // characters of an examination's words in a report

export async function judgmentView(id) {
  const judgment = await api.judgment(id);
  if (judgment.status === "done") return verdictView(judgment);
  if (judgment.status === "failed") return failedView(judgment);
  const known = await api.ensembles();
  const paradigms = known.items.find((one) => one.name === judgment.ensemble)?.paradigms ?? [];
  // Whoever deletes it goes elsewhere.
  const following = follow(judgment, paradigms, (kind) => kind !== "deleted" && again());
  const own = ownPicture(id);
  show(
    "Under way",
    el("h1", {}, "The picture is being examined"),
    fileLine(judgment),
    el(
      "div",
      { class: own ? "under-way" : "" },
      own && el("img", { src: own, alt: "The picture under judgment", class: "sent" }),
      following.element,
    ),
    el("p", { class: "row" }, deleteButton(judgment)),
  );
  return following.stop;
}

/** Show the same address anew. */
function again() {
  window.dispatchEvent(new Event("hashchange"));
}

function fileLine(judgment) {
  const reference = judgment.reference && [" · ", said(judgment.reference)];
  return el(
    "p",
    { class: "muted" },
    long(judgment.image.name, "The file's name", 200),
    reference,
    ` · ${judgment.ensemble} · `,
    when(judgment.created_at),
  );
}

function failedView(judgment) {
  show(
    "No verdict",
    el("h1", {}, "There is no verdict"),
    fileLine(judgment),
    el("p", { class: "card problem" }, long(judgment.error?.message ?? "It ended without one.", "What went wrong")),
    el("p", {}, "Nothing was decided, for either side."),
    el("p", { class: "row" }, el("a", { class: "button", href: "#/" }, "Judge a picture"), deleteButton(judgment)),
    judgment.links.appeal && appealSection(judgment),
  );
}

async function verdictView(judgment) {
  const parts = await verdictParts(judgment, ownPicture(judgment.id));
  const { sections } = parts;
  const label = sections.get("label");
  label.append(...toolbar(judgment));
  const yours = sections.get("yours");
  if (judgment.links.appeal) yours?.append(appealForm(judgment));
  show(label.querySelector("h1")?.textContent, label, standing(judgment), ...parts.rest);
  announce(judgment.headline);
}

/**
 * A verdict as elements.
 *
 * @param own address of the picture where the report has none
 */
export async function verdictParts(judgment, own) {
  const { sections, picture } = adopt(await api.reportText(judgment.id));
  const evidence = sections.get("evidence");
  const marks = marksOf(judgment.verdict.evidence);
  const pictures = sections.get("picture");
  const source = picture ?? own;
  if (source) {
    for (const mark of marks) numbered(evidence, mark);
    const alt = "The picture under judgment. What was seen in it stands under Evidence.";
    pictures.replaceChildren(
      pictures.querySelector("h2"),
      pictureWith(source, alt, judgment.verdict.image, marks),
      legend(marks),
    );
  } else {
    pictures.querySelector("p").textContent = "The picture is not kept any more.";
  }
  const look = el("div", { class: "look" }, pictures, evidence);
  linked(look);
  allWords(sections.get("examinations"), judgment.verdict);
  // Where the report names a newer judgment, the page has a link to it.
  const rest = [...sections].filter(([name]) => !["label", "picture", "evidence", "newer"].includes(name));
  const early = (wanted) => rest.filter(([name]) => BEFORE.includes(name) === wanted).map(([, section]) => section);
  return { sections, rest: [...early(true), look, ...early(false)] };
}

/** The card that belongs to a region. Where the report has no picture, its number is put in here. */
function numbered(evidence, mark) {
  const card = evidence.querySelectorAll(`.evidence.side-${mark.side}`)[mark.place];
  const heading = card?.querySelector("h4");
  if (!heading) return;
  mark.name = heading.querySelector("bdi").textContent;
  if (card.id) return;
  card.id = `evidence-${mark.number}`;
  heading.prepend(numberLink(mark), " ");
}

export function legend(marks) {
  if (!marks.length) return el("p", { class: "small muted" }, "No region was named.");
  const key = (side, text) => [el("span", { class: `key ${side}` }), ` ${text} `];
  const neither = marks.some((mark) => mark.side === "neither") ? key("neither", "for neither") : [];
  const words = [
    "Each number leads to its evidence, and back. ",
    ...key("generated", "for generated"),
    ...key("real", "for a photograph"),
    ...neither,
  ];
  return el("p", { class: "small muted" }, words);
}

/** Where a report cuts a model's words, all of them can be opened. */
function allWords(section, verdict) {
  const reports = [...verdict.reports, ...(verdict.panel ? [verdict.panel] : [])];
  section?.querySelectorAll("article.examination").forEach((card, index) => {
    const text = reports[index]?.text ?? "";
    if (text.length <= SHOWN_WORDS) return;
    const words = el(
      "p",
      { class: "small" },
      "Word for word, as the model wrote it: ",
      long(text, "All words of the model", 0),
    );
    (card.querySelector("details") ?? card).append(words);
  });
}

function toolbar(judgment) {
  const { verdict, report } = judgment.links;
  const secret = judgment.verdict.provenance.claims.some((claim) => claim.private);
  const hint = "The JSON holds private text of the file, such as a prompt. The report leaves it out.";
  const tools = el(
    "p",
    { class: "row tools" },
    el("a", { class: "button", href: `${report}?download=1`, download: `${judgment.id}.html` }, "Download the report"),
    el("a", { class: "button", href: `${verdict}?download=1`, download: `${judgment.id}.json` }, "Download JSON"),
    el("a", { class: "button", href: report, target: "_blank", rel: "noopener" }, "Open for print"),
    deleteButton(judgment),
  );
  return secret ? [tools, el("p", { class: "small muted" }, hint)] : [tools];
}

function deleteButton(judgment) {
  return sureButton(
    "Delete",
    "The judgment, its picture and what people decided about it are deleted for good. Answers of models may stay in " +
      "this server's cache for a while; they name neither the picture nor the judgment.",
    "Delete it",
    async () => {
      await api.remove(judgment.id);
      location.hash = "#/history";
    },
  );
}

/** How it stands with the judgment itself: whether a person looks at it, what came before it and after it. */
function standing(judgment) {
  const lines = [];
  const to = (id, text) => el("a", { href: `#/judgment/${id}` }, text);
  if (judgment.superseded_by)
    lines.push(
      el(
        "p",
        {},
        "A newer judgment stands in the place of this one: ",
        to(judgment.superseded_by, "see the newer one"),
        ".",
      ),
    );
  if (judgment.supersedes)
    lines.push(el("p", {}, "This judgment follows an appeal: ", to(judgment.supersedes, "see the one before"), "."));
  for (const appeal of judgment.appeals)
    lines.push(el("p", {}, "Somebody objected on ", when(appeal.created_at), ": ", long(appeal.reason, "Why")));
  const { status, reason } = judgment.review;
  if (status === "waiting")
    lines.push(el("p", {}, `A person will look at this picture: ${REASONS[reason] ?? reason}.`));
  const earlier = judgment.decisions.slice(0, -1);
  if (earlier.length)
    lines.push(
      el("p", {}, `${count(earlier.length, "earlier decision")} by a person:`),
      el("ul", {}, earlier.map(decided)),
    );
  return lines.length ? el("section", { class: "card standing", "aria-label": "How it stands" }, lines) : null;
}

export function decided(decision) {
  const note = decision.note && [": ", long(decision.note, "The note")];
  return el(
    "li",
    {},
    `${DECISIONS[decision.decision]} (`,
    said(decision.reviewer),
    ", ",
    when(decision.decided_at),
    ")",
    note,
  );
}

function appealSection(judgment) {
  return el(
    "section",
    { "aria-labelledby": "yours" },
    el("h2", { id: "yours" }, "If this is your picture"),
    appealForm(judgment),
  );
}

function appealForm(judgment) {
  const reason = el("textarea", { required: true, maxlength: "2000", rows: "4" });
  const file = el("input", { type: "file", accept: "image/*", required: !judgment.image.kept });
  const error = problem();
  const send = el("button", { type: "submit", class: "primary" }, "Ask for another look");
  const submit = async (event) => {
    event.preventDefault();
    send.disabled = true;
    error.textContent = "";
    const form = new FormData();
    form.append("reason", reason.value.trim());
    if (file.files[0]) form.append("image", file.files[0], file.files[0].name);
    try {
      const next = await api.appeal(judgment.id, form);
      if (file.files[0]) keepOwn(next.id, file.files[0]);
      if (send.isConnected) location.hash = `#/judgment/${next.id}`;
    } catch (failed) {
      error.textContent = failed.message;
      send.disabled = false;
    }
  };
  const better = judgment.image.kept
    ? "Without one, the same file is examined again."
    : "The picture is not kept any more, so send it again, or a better file.";
  return el(
    "form",
    { class: "card appeal", "aria-label": "Appeal", onsubmit: submit },
    el("h3", {}, "Is the label wrong?"),
    el("p", {}, "The picture is examined again, and a person looks at it. Both judgments are kept."),
    field("Why", reason, "What the person should know, such as how the picture was made."),
    field("A better file", file, better),
    error,
    send,
  );
}
