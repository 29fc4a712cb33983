// The first view: which ensemble, where the picture goes, and the picture itself.

import * as api from "./api.js";
import { announce, el, field, options, problem, show, sized, tag } from "./dom.js";
import { count } from "./words.js";

const pictures = new Map(); // judgment id -> address of the picture that was chosen on this page

/** The picture that was sent from this page for a judgment, or null. */
export const ownPicture = (id) => pictures.get(id) ?? null;

export function keepOwn(id, file) {
  pictures.set(id, URL.createObjectURL(file));
}

export async function judgeView() {
  const known = await api.ensembles();
  const choice = options(
    el("select", { id: "ensemble" }),
    known.items.map((one) => [one.name, one.name]),
  );
  choice.value = known.default;
  const destination = el("section", { class: "card destination", "aria-labelledby": "where", "aria-live": "polite" });
  const chosen = () => known.items.find((one) => one.name === choice.value);
  const form = new PictureForm(known, chosen, el("div", {}, field("How it is examined", choice), destination));
  const change = () => destination.replaceChildren(...whereItGoes(chosen(), known));
  choice.addEventListener("change", change);
  change();
  show(
    "",
    el("h1", {}, "Is this picture a photograph, or generated?"),
    el(
      "p",
      { class: "lead" },
      "Several examinations look at it side by side, and say why. What comes out is an estimate, not proof.",
    ),
    form.element,
  );
  return () => form.close();
}

function whereItGoes(ensemble, known) {
  const unknown = ensemble.backends.some((one) => one.hosted === null);
  const mark = ensemble.hosted
    ? el("span", { class: "tag hosted" }, "Leaves this server")
    : tag(unknown ? "Not known yet" : "Stays here", unknown ? "neither" : "real");
  const asked = ensemble.backends.map((one) =>
    el(
      "li",
      {},
      el("code", {}, one.spec),
      one.hosted ? " (hosted)" : "",
      one.missing_key && el("span", { class: "problem" }, ` needs the key ${one.missing_key}`),
    ),
  );
  const days = count(known.retention_days, "day");
  const kept = known.keep_pictures ? "The picture and the verdict are" : "The verdict is";
  const meanwhile = known.keep_pictures ? "" : " The picture itself is only kept while a person has to look at it.";
  return [
    el("h2", { id: "where" }, "Where the picture goes ", mark),
    el("p", { class: "goes" }, ensemble.picture),
    asked.length > 0 && el("p", {}, "Who is asked:"),
    asked.length > 0 && el("ul", {}, asked),
    el("p", { class: "small muted" }, `${kept} kept on this server for ${days}, or until you delete it.${meanwhile}`),
    el("p", { class: "small muted" }, ensemble.description),
  ].filter(Boolean);
}

/** Drop, paste or choose a picture, look at it, and send it. */
class PictureForm {
  constructor(known, chosen, beside) {
    this.known = known;
    this.chosen = chosen;
    this.file = null;
    this.address = null;
    this.error = problem();
    this.input = el("input", {
      type: "file",
      id: "picture-file",
      class: "unseen",
      accept: "image/*",
      onchange: () => this.take(this.input.files[0]),
    });
    this.preview = el("div", { class: "preview", hidden: true });
    this.url = known.allow_urls
      ? el("input", { type: "url", maxlength: "4000", autocomplete: "off", pattern: "[Hh][Tt][Tt][Pp][Ss]?://.+" })
      : null;
    this.url?.addEventListener("input", () => this.changed());
    this.reference = el("input", { type: "text", maxlength: "200", autocomplete: "off" });
    this.review = el("input", { type: "checkbox", id: "ask-person" });
    this.send = el("button", { type: "submit", class: "primary", disabled: true }, "Judge this picture");
    this.zone = el(
      "div",
      { class: "drop" },
      this.input,
      el(
        "label",
        { for: "picture-file", class: "choose" },
        el("strong", {}, "Choose a picture"),
        el("span", {}, "or drop it here, or paste it"),
      ),
      this.preview,
    );
    this.element = el(
      "form",
      { "aria-label": "The picture", onsubmit: (event) => this.submit(event) },
      el("div", { class: "start" }, this.zone, beside),
      this.url && field("Or its address", this.url, "https://… This server fetches the picture from there."),
      el(
        "details",
        {},
        el("summary", {}, "More"),
        field("Your own name for it", this.reference, "To find it again: a number of a case, for example."),
        el(
          "p",
          {},
          this.review,
          " ",
          el("label", { for: "ask-person" }, "A person shall look at it, whatever comes out"),
        ),
      ),
      this.error,
      this.send,
    );
    this.over = (event) => this.dragged(event);
    this.pasted = (event) => this.paste(event);
    for (const kind of ["dragover", "dragleave", "drop"]) document.addEventListener(kind, this.over);
    document.addEventListener("paste", this.pasted);
  }

  close() {
    for (const kind of ["dragover", "dragleave", "drop"]) document.removeEventListener(kind, this.over);
    document.removeEventListener("paste", this.pasted);
    if (this.address) URL.revokeObjectURL(this.address);
  }

  dragged(event) {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    this.zone.classList.toggle("over", event.type === "dragover");
    if (event.type === "drop") this.take(event.dataTransfer.files[0]);
  }

  paste(event) {
    const file = [...(event.clipboardData?.files ?? [])][0];
    if (!file) return;
    event.preventDefault();
    this.take(file);
  }

  take(file) {
    if (!file) return;
    this.error.textContent = "";
    if (file.size > this.known.max_bytes) {
      this.error.textContent = `The file has ${sized(file.size)}; this server takes ${sized(this.known.max_bytes)} at most.`;
      return;
    }
    if (this.address) URL.revokeObjectURL(this.address);
    this.file = file;
    this.address = URL.createObjectURL(file);
    const image = el("img", { src: this.address, alt: "The picture that you chose" });
    image.addEventListener("error", () => image.remove());
    this.preview.replaceChildren(
      image,
      el("p", { class: "small" }, el("bdi", {}, file.name), ` · ${sized(file.size)}`),
    );
    this.preview.hidden = false;
    if (this.url) this.url.value = "";
    this.send.disabled = false;
    this.send.focus({ preventScroll: true });
    announce("The picture is chosen. It has not been sent yet.");
  }

  /** An address takes the place of a file that was chosen, since only one of them can be sent. */
  changed() {
    if (this.url.value) {
      this.file = null;
      this.input.value = "";
      this.preview.hidden = true;
    }
    this.send.disabled = !this.url.value && !this.file;
  }

  async submit(event) {
    event.preventDefault();
    const url = this.url?.value.trim();
    if ((!this.file && !url) || this.send.disabled) return;
    this.send.disabled = true;
    this.error.textContent = "";
    announce(this.file ? "The picture is being sent." : "The address is being sent.");
    const form = new FormData();
    form.append("ensemble", this.chosen().name);
    if (this.reference.value.trim()) form.append("reference", this.reference.value.trim());
    if (this.review.checked) form.append("review", "true");
    if (this.file) form.append("image", this.file, this.file.name);
    else form.append("url", url);
    try {
      const judgment = await api.judge(form);
      if (this.file) keepOwn(judgment.id, this.file);
      if (this.element.isConnected) location.hash = `#/judgment/${judgment.id}`;
    } catch (error) {
      this.error.textContent = error.message;
      this.send.disabled = false;
    }
  }
}
