// Numbered regions over a picture, and the evidence that belongs to each: either one lights up the other.

import { el } from "./dom.js";
import { sideOf } from "./words.js";

const MOST = 30; // pieces of evidence a side that a report shows; the numbers have to be the same here
const NEAR = 0.09; // numbers nearer than this, in fractions of the picture, would hide each other

/** The regions of a verdict's evidence, numbered as the report numbers them. */
export function marksOf(evidence) {
  const room = { generated: 0, real: 0, neither: 0 };
  const marks = [];
  for (const item of evidence) {
    const side = sideOf(item.points_to);
    const place = room[side]++;
    if (place < MOST && item.region)
      marks.push({ number: marks.length + 1, side, place, name: item.name, box: item.region });
  }
  return marks;
}

/** From a card of evidence to its region. */
export function numberLink({ number, side }) {
  const label = `${number}: to its region on the picture`;
  return el("a", { class: `number ${side}`, href: `#region-${number}`, "aria-label": label }, String(number));
}

/** A picture with its regions. `source` is of this server, a blob or a data URI. */
export function pictureWith(source, alt, size, marks) {
  const image = el("img", { src: source, alt, width: size.width, height: size.height });
  const frame = el("div", { class: "picture" }, image);
  image.addEventListener("error", () =>
    frame.replaceWith(el("p", { class: "card" }, "The picture cannot be shown here.")),
  );
  marks.forEach((mark, index) => frame.append(...drawn(mark, marks.slice(0, index))));
  return frame;
}

function drawn(mark, before) {
  const { x0, y0, x1, y1 } = mark.box;
  const region = el("div", { class: `region ${mark.side}`, id: `region-${mark.number}`, "data-number": mark.number });
  Object.assign(region.style, { left: per(x0), top: per(y0), width: per(x1 - x0), height: per(y1 - y0) });
  const label = `Region ${mark.number}: ${mark.name.slice(0, 120)}. To its evidence.`;
  const link = el("a", { class: `number ${mark.side}`, id: `number-${mark.number}`, href: `#evidence-${mark.number}` });
  link.setAttribute("aria-label", label);
  link.textContent = mark.number;
  const left = leftwards(mark.box);
  const near = before.filter((other) => close(mark.box, other.box)).length;
  link.style[left ? "right" : "left"] = inside(left ? 1 - x1 : x0, near % 4);
  link.style.top = inside(y0, Math.floor(near / 4));
  return [region, link];
}

const per = (share) => `${(100 * share).toFixed(2)}%`;
const leftwards = (box) => box.x0 + box.x1 > 1;
const inside = (start, steps) =>
  `clamp(0px, calc(${per(start)} + ${steps} * var(--number)), calc(100% - var(--number)))`;

function close(one, other) {
  const corner = (box) => (leftwards(box) ? box.x1 : box.x0);
  const near = Math.abs(corner(one) - corner(other)) < NEAR && Math.abs(one.y0 - other.y0) < NEAR;
  return near && leftwards(one) === leftwards(other);
}

/** Link regions and evidence below `root`, both ways: by pointer, by focus, and by click or Enter. */
export function linked(root) {
  const parts = (number) => ["region", "number", "evidence"].map((kind) => root.querySelector(`#${kind}-${number}`));
  const numberOf = (target) => {
    const part =
      target instanceof Element ? target.closest("[id^='region-'], [id^='number-'], [id^='evidence-']") : null;
    return part?.id.match(/-(\d+)$/)?.[1] ?? null;
  };
  let lit = null;
  let focused = null;
  let held = false; // what got the focus stays lit although the page was scrolled beneath a pointer at rest
  const light = (number) => {
    if (number === lit) return;
    for (const [which, on] of [
      [lit, false],
      [number, true],
    ]) {
      if (which !== null) parts(which).forEach((part) => part?.classList.toggle("lit", on));
    }
    lit = number;
  };
  // What has the focus stays lit while the pointer is over nothing.
  const hover = (event) => light(numberOf(event.target) ?? focused);
  root.addEventListener("pointerover", (event) => held || hover(event));
  root.addEventListener("pointermove", (event) => {
    if (!held || (event.movementX === 0 && event.movementY === 0)) return;
    held = false;
    hover(event);
  });
  root.addEventListener("pointerleave", () => held || light(focused));
  root.addEventListener("focusin", (event) => {
    focused = numberOf(event.target);
    held = focused !== null;
    light(focused);
  });
  root.addEventListener("focusout", () => light((focused = null)));
  root.addEventListener("click", (event) => {
    const number = numberOf(event.target);
    const link = event.target.closest("a");
    const onPicture = event.target.closest(".picture") !== null;
    if (number === null || (!link && !onPicture)) return;
    event.preventDefault();
    const [, onImage, card] = parts(number);
    const goal = onPicture ? card : onImage;
    if (!goal) return;
    if (goal === card) card.setAttribute("tabindex", "-1");
    goal.focus({ preventScroll: true });
    goal.scrollIntoView({ block: onPicture ? "start" : "center" });
  });
}
