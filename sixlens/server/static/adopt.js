// The server's report, taken over element by element, so that the page says word for word what the report says.
//
// A document made by DOMParser runs nothing and loads nothing. Of it only the elements and attributes named here are
// made anew, and every text as a text node.

const ELEMENTS = new Set(
  (
    "SECTION DIV ARTICLE H1 H2 H3 H4 P UL OL LI DL DT DD TABLE CAPTION THEAD TBODY TR TH TD DETAILS SUMMARY " +
    "STRONG SPAN BDI FIGURE FIGCAPTION A"
  ).split(" "),
);
const ATTRIBUTES = ["id", "class", "scope", "aria-labelledby", "aria-label", "dir"];

/** The sections of a report by their heading's id, and the picture in it as a data URI, or null. */
export function adopt(html) {
  // Its style sheet is left out: the page has its own, and its policy would refuse this one.
  const page = new DOMParser().parseFromString(html.replace(/<style>[^<]*<\/style>/, ""), "text/html");
  const sections = new Map();
  for (const section of page.querySelectorAll("main > section")) {
    sections.set(section.getAttribute("aria-labelledby"), made(section));
  }
  return { sections, picture: pictureOf(page) };
}

function made(node) {
  if (node.nodeType === Node.TEXT_NODE) return document.createTextNode(node.data);
  if (node.nodeType !== Node.ELEMENT_NODE || !ELEMENTS.has(node.tagName)) return null;
  const element = document.createElement(node.tagName);
  for (const name of ATTRIBUTES) if (node.hasAttribute(name)) element.setAttribute(name, node.getAttribute(name));
  const target = node.getAttribute("href");
  if (target?.startsWith("#")) element.setAttribute("href", target);
  element.append(...[...node.childNodes].map(made).filter((child) => child !== null));
  return element;
}

function pictureOf(page) {
  const source = page.querySelector(".picture > img")?.getAttribute("src") ?? "";
  return /^data:image\/(jpeg|png|webp);base64,[A-Za-z0-9+/=]+$/.test(source) ? source : null;
}
