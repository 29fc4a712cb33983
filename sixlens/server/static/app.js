// The page: which view is shown, and who is signed in.

import * as api from "./api.js";
import { el, field, problem, show, showWaiting } from "./dom.js";
import { historyView } from "./history.js";
import { judgeView } from "./judge.js";
import { queueView, reviewView } from "./review.js";
import { judgmentView } from "./verdict.js";

const VIEWS = { "": ["judge", judgeView], judgment: ["", judgmentView], history: ["history", historyView] };

let leave = null; // what has to be done when the view is left

/** Show the view that the address names. The latest one wins: a slow one before it is given up. */
async function route() {
  const left = begun();
  const [name = "", id] = location.hash.replace(/^#\/?/, "").split("/");
  const [current, view] = name === "review" ? ["review", id ? reviewView : queueView] : (VIEWS[name] ?? VIEWS[""]);
  for (const link of document.querySelectorAll("nav a")) {
    if (link.dataset.view === current) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  api.reviews("limit=1").then(
    (queue) => showWaiting(queue.waiting),
    () => null,
  );
  try {
    const leaving = await view(id);
    if (left.aborted) leaving?.();
    else leave = leaving ?? null;
  } catch (error) {
    if (left.aborted) return;
    if (!(error instanceof api.ApiError)) console.error(error);
    if (error.status !== 401) sorry(error);
  }
}

function begun() {
  leave?.();
  leave = null;
  return api.enterView();
}

function sorry(error) {
  const again = el("button", { type: "button", onclick: route }, "Try again");
  const missing = error.status === 404;
  show(
    "Sorry",
    el("h1", {}, missing ? "It is not here" : "That did not work"),
    el("p", { class: "problem", role: "alert" }, error.message),
    el("p", { class: "row" }, again, el("a", { class: "button", href: "#/" }, "To the start")),
  );
}

function signInView() {
  begun();
  const token = el("input", { type: "password", autocomplete: "current-password", required: true });
  const error = problem();
  const submit = async (event) => {
    event.preventDefault();
    error.textContent = "";
    try {
      await api.signIn(token.value);
      await begin();
    } catch (failed) {
      error.textContent = failed.message;
    }
  };
  const hint = "Whoever runs this server set it, as SIXLENS_TOKEN or in a file.";
  const send = el("button", { type: "submit", class: "primary" }, "Sign in");
  // A keeper of passwords wants a name to keep it under.
  const name = el("input", { type: "text", autocomplete: "username", value: "sixlens", hidden: true });
  show(
    "Sign in",
    el("h1", {}, "Sign in"),
    el("form", { class: "card narrow", onsubmit: submit }, name, field("The server's token", token, hint), error, send),
  );
  token.focus();
}

async function begin() {
  const { token_required: needed, signed_in: signedIn } = await api.session();
  document.getElementById("sign-out").hidden = !(needed && signedIn);
  document.querySelector("nav").hidden = needed && !signedIn;
  if (needed && !signedIn) return signInView();
  const { version } = await api.ensembles();
  document.getElementById("version").textContent = `sixlens ${version}`;
  return route();
}

document.getElementById("sign-out").addEventListener("click", async () => {
  await api.signOut();
  await begin();
});
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault();
  document.getElementById("main").focus();
});
window.addEventListener("hashchange", route);
window.addEventListener("signed-out", () => {
  if (!document.querySelector("main input[type=password]")) begin();
});
begin().catch((error) => {
  if (error.name === "AbortError") return; // another view was chosen meanwhile
  if (!(error instanceof api.ApiError)) throw error;
  if (error.status !== 401) sorry(error);
});
