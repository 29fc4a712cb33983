// Fixed words for people, where the API gives only a name.

export const LABELS = { generated: "reads as generated", real: "reads as a photograph", undecided: "undecided" };
export const DECISIONS = { real: "It is a photograph", generated: "It is generated", cannot_tell: "It cannot be told" };
export const REASONS = {
  undecided: "the tool came to no label",
  dissent: "the examinations disagree",
  random: "drawn by chance, to see how good the tool is",
  appeal: "somebody objected to the label",
  asked: "whoever sent it asks for a person",
};
export const STATUS = { queued: "waiting its turn", running: "under way", done: "judged", failed: "no verdict" };

/** How an examination came out, in one word, as the report says it. */
export function says(report) {
  if (report.outcome !== "answered" || !report.label) return report.outcome;
  if (report.kind === "score") return "score";
  return report.backend === null ? "measured" : report.label;
}

export function sideOf(label) {
  return label === "generated" || label === "real" ? label : "neither";
}

export function count(number, noun) {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}
