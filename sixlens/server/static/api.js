// The server's API. What goes wrong is an ApiError with one line for people.

export class ApiError extends Error {
  constructor(status, kind, message, retryAfter = null) {
    super(message);
    this.status = status;
    this.kind = kind;
    this.retryAfter = retryAfter;
  }
}

let view = new AbortController();

/** Begin a new view: what the one before still reads is given up. The signal says when this one is left. */
export function enterView() {
  view.abort();
  view = new AbortController();
  return view.signal;
}

export async function request(method, path, body = undefined) {
  const options = { method, headers: { Accept: "application/json" }, credentials: "same-origin" };
  if (body instanceof FormData) options.body = body;
  else if (body !== undefined) {
    options.body = JSON.stringify(body);
    options.headers["Content-Type"] = "application/json";
  }
  // What changes something is not given up halfway.
  if (method === "GET") options.signal = view.signal;
  let response;
  try {
    response = await fetch(path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError(0, "unreachable", "The server does not answer. Is it still running?");
  }
  if (!response.ok) throw await refused(response);
  return response;
}

async function refused(response) {
  const wait = response.headers.get("Retry-After");
  const told = await response.json().then(
    (body) => body.error,
    () => null,
  );
  const message = told?.message ?? `The server answered with ${response.status}.`;
  const again = wait ? ` Come again in ${wait} s.` : "";
  const error = new ApiError(response.status, told?.kind ?? "unknown", message + again, wait);
  if (response.status === 401) window.dispatchEvent(new Event("signed-out"));
  return error;
}

async function json(method, path, body) {
  return (await request(method, path, body)).json();
}

const at = (kind, id, rest = "") => `/v1/${kind}/${encodeURIComponent(id)}${rest}`;

export const session = () => json("GET", "/v1/session");
export const signIn = (token) => request("POST", "/v1/session", { token });
export const signOut = () => request("DELETE", "/v1/session");
export const ensembles = () => json("GET", "/v1/ensembles");
export const judge = (form) => json("POST", "/v1/judgments", form);
export const judgment = (id) => json("GET", at("judgments", id));
export const judgments = (query) => json("GET", `/v1/judgments?${query}`);
export const remove = (id) => request("DELETE", at("judgments", id));
export const reportText = async (id) => (await request("GET", at("judgments", id, "/report"))).text();
export const appeal = (id, form) => json("POST", at("judgments", id, "/appeal"), form);
export const reviews = (query) => json("GET", `/v1/reviews?${query}`);
export const review = (id) => json("GET", at("reviews", id));
export const reviewPicture = async (id) => (await request("GET", at("reviews", id, "/picture"))).blob();
export const decide = (id, decision) => json("POST", at("reviews", id), decision);
