"""The HTTP server of `sixlens serve`: the API, the queue behind it, and the people's review.

Everything is JSON unless said. Times are ISO 8601 in UTC. Unknown is null. Every error has one shape,
`{"error": {"kind": KIND, "message": ONE LINE}}`, and may have further fields inside `error` (`fields` of a wrong
request). No response carries a local path but a verdict, which stays as it was made: it names its backends as the
server was given them, also those in a folder (`hf:/…`).

# Who may ask

Without a token (only on a loopback address) nobody is asked for one. With a token, every route needs
`Authorization: Bearer TOKEN`, or the cookie that `POST /v1/session` gives; except `/`, `/static/…`, `/healthz`,
`/readyz` and `/v1/session`, which hold nothing of any case. 401 `unauthorized`. A request that names another host is
refused with 421 `wrong_host` (but for `/healthz` and `/readyz`), and a changing request that another site's page sent
with 403 `cross_site`. A body that stands still is refused with 408 `too_slow`.

    GET    /v1/session              {token_required: bool, signed_in: bool}
    POST   /v1/session              {"token": "…"} → 204 and an HttpOnly cookie for 12 hours; 401 `unauthorized`
    DELETE /v1/session              204; the cookie is forgotten

The cookie makes `<img>`, links to reports, downloads and `EventSource` work on the page.

# What can be chosen, and where the picture goes

    GET /v1/ensembles → {
      default: NAME, allow_urls: bool, max_bytes: int, max_deadline_s: float, keep_pictures: bool,
      retention_days: float, review_share: float, version: "0.1.0",
      items: [{name, description, asks: bool, fusion: STRATEGY, hosted: bool,
               picture: SENTENCE — where the picture goes, to be shown before an upload,
               backends: [{spec, destination: WORDS, hosted: bool | null (not known yet),
                          missing_key: NAME | null}],
               paradigms: [{name, title, question, asks: bool}], max_edge: PIXELS, deadline_s: float}]}

# A judgment

    POST /v1/judgments
        multipart/form-data: `image` (the file) or `url` (only when allowed), and any of `ensemble`, `reference` (your
        own name for it, at most 200 characters), `deadline_s` (seconds that the judging may take, once it has begun;
        what is late is skipped), `review` (`true`: a person shall look at it whatever the verdict).
        application/json: the same without `image`.
        `?wait=N` or `Prefer: wait=N`: wait up to N seconds (0 to 120; default 0) for the verdict.
        `Idempotency-Key: KEY`: the same key with the same body gives the same judgment (`Idempotent-Replayed: true`).
        One that ended with 503 (`no_verdict`, `budget`, `interrupted`, `storage`) frees its key: ask again with it.
      → 200 Judgment (finished), or 202 Judgment (not yet); both with `Location: /v1/judgments/ID`.
      → 400 `bad_request`, 408 `too_slow`, 413 `too_large`, 415 `not_a_picture`, 422 `invalid` | `picture` (unreadable)
        | `idempotency_key_reused` | `urls_not_allowed`, 429 `busy` with Retry-After, 503 `no_verdict` | `draining`
        (with Retry-After), 507 `no_room`.
        Any route: 503 `storage` (with Retry-After) while the data folder cannot be used.
        An error that a judgment ended with carries the judgment too: `{"error": {…, "judgment": ID}}`.

    GET    /v1/judgments/{id}           Judgment. `id` is a judgment's id, or the id that stands in its verdict.
    DELETE /v1/judgments/{id}           204. Judgment, picture, reviews and decisions are gone, and the label that is
                                        kept for its file; if it runs it stops. A case that it superseded waits again.
    GET    /v1/judgments                ?status, ?label, ?reference, ?since, ?until (times), ?limit (1–200, default 50),
                                        ?cursor → {items: [Summary], next_cursor: TEXT | null}; newest first
    GET    /v1/judgments/export         ?format=jsonl|csv and the same filters; a stream, newest first
    GET    /v1/judgments/{id}/events    server-sent events, see below
    GET    /v1/judgments/{id}/report    text/html, one self-contained page; ?download=1 as a file, ?include_private=1;
                                        409 `not_done`
    GET    /v1/judgments/{id}/picture   the original file, while it is kept; else 404 `picture_gone`
    GET    /v1/judgments/{id}/verdict   the verdict alone, as `sixlens judge --json` prints it; ?download=1;
                                        409 `not_done`

    Summary  = {id, status: queued|running|done|failed, created_at, started_at, finished_at, ensemble, reference,
                label: generated|real|undecided|null, undecided_because, headline, error: {kind, message} | null,
                image: {name, sha256 | null, bytes | null, kept: bool},
                review: {status: none|waiting|decided|closed, reason: null|undecided|dissent|random|appeal|asked},
                decision: Decision | null — the latest one,
                supersedes: ID | null, superseded_by: ID | null — set once the newer judgment is done}
    Judgment = Summary + {verdict: VERDICT | null — docs/schema/verdict.schema.json, word for word,
                          position: int | null — how many wait before it, deadline_s,
                          decisions: [Decision] — oldest first,
                          appeals: [{reason, created_at, judgment: ID of the new one, status: of the new one}],
                          links: {self, events, report, picture, verdict, appeal} — addresses, null when not to be had}
    Decision = {decision: real|generated|cannot_tell, note, reviewer, blind: bool — before the label was shown,
                decided_at}
    error.kind of a failed judgment: picture, no_verdict, budget, interrupted, storage, configuration, program

# Events

`GET /v1/judgments/{id}/events` replays what has happened, then goes on live. Each `data` is one JSON object. The stream
ends after `decided` or `failed`: close it then, since an `EventSource` would come again. Whoever comes again gets
everything again; nothing is harmed when an event is taken twice. Lines that begin with `:` are heartbeats.

    event: status     {status: queued|running, position: int | null}
    event: prepared   {medium: TEXT | null}
    event: reported   {report: REPORT}      a Report as in `verdict.reports`; `report.paradigm` says which
    event: decided    {judgment: Judgment}  the verdict is in it
    event: failed     {error: {kind, message}}
    event: draining   {}                    the server is going down; the judgment waits on disk, come again

# Review and appeal

    GET  /v1/reviews                 ?status=waiting (default)|decided|all, ?limit, ?cursor
                                     → {items: [Review], next_cursor, waiting: int}; oldest first
    GET  /v1/reviews/{id}            Review
    GET  /v1/reviews/{id}/picture    the picture upright as a JPEG of at most 2048 pixels a side, without metadata;
                                     404 `picture_gone`
    POST /v1/reviews/{id}            {"decision": real|generated|cannot_tell, "note": "", "reviewer": NAME}
                                     → 200 Review, now with everything shown. Again: one more decision,
                                     of which the latest counts.
                                     409 `superseded` when the case was closed by an appeal
    GET  /v1/reviews/export          ?format=csv|jsonl: the latest decision about each file, where it is `real` or
                                     `generated`, as labels; columns sha256, label, judgment, reference, ensemble,
                                     config_sha256, tool_label, blind, reason, decided_at; of a judgment whose time is
                                     over the label is kept, without judgment and reference
    POST /v1/judgments/{id}/appeal   multipart/form-data: `reason` (1 to 2000 characters), and `image` (a better file)
                                     or nothing, when the picture is kept; or JSON {"reason", "url"?}
                                     → 202 Judgment: the new one, with `supersedes`; it also waits for a person.
                                     409 `picture_gone` (send the file) | `appeal_under_way` | `superseded` | `not_done`

    Review = {id, status: waiting|decided|closed, reason, created_at, blind: bool — the tool's label is withheld here,
              until a person has decided,
              judgment: ID | null, reference: TEXT | null, image: {name, width, height, kept} — name null while blind,
              verdict: VERDICT | null, label, headline,
              evidence: [Evidence] — while blind without `reasoning`, `points_to`, `severity` and `ordinary_cause`, in
              the order of their names, and with `…` for words that name a side, so that nothing tells the label,
              appeal: REASON OF THE APPEAL | null, decisions: [Decision] — oldest first}

Blind are the cases of reason `random`: a share of the decided judgments, chosen by a hash of their id. The one who sent
the picture still gets the verdict under the judgment's own id; the review has an id of its own, and names neither the
judgment nor the file until a person has decided.

# The rest

    GET /healthz          {status: "ok"}, as long as the process answers
    GET /readyz           {status: "ready"}, or 503 `draining`
    GET /metrics          Prometheus text
    GET /v1/openapi.json  the API, with examples
    GET /                 the page: `static/index.html`; its files lie under `/static/`
"""
