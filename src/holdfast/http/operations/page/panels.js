// What the page consists of: a panel looks at the view and answers what it shows.

import { h } from "./dom.js";
import { sum } from "./course.js";
import { ago, bytes, clock, count, facts, gauge, line, mark, rate, seconds, share, table } from "./write.js";

const LAG_SECONDS_MAX = 0.5;
const MONEY = /^payment-/;

/** What needs somebody's attention, worst first: a sentence and the panel that tells more. */
export function attention(view) {
  const found = [];
  const add = (kind, text, panel) => found.push({ kind, text, panel });
  const health = view.value("health");
  for (const [name, part] of Object.entries(health?.parts ?? {})) {
    if (part.status !== "up") {
      add("bad", `${named(name)} has been down for ${seconds(part.sinceSeconds)}; needed for ${part.neededFor}`, name === "database" ? name : "processes");
    }
  }
  for (const process of view.processes) {
    if (!process.isFresh) add("bad", `${process.name} has been silent for ${seconds(process.ageSeconds)}`, "processes");
    const lag = process.figure("holdfast_process_event_loop_lag_seconds");
    if (process.isFresh && lag > LAG_SECONDS_MAX) add("warn", `${process.name} stood still for ${seconds(lag)}`, "processes");
    if (process.figure("holdfast_gate_overloaded")) add("warn", `${process.name} is overloaded and refuses what has not begun`, "gate");
  }
  for (const each of view.value("slos")?.standings ?? []) {
    const page = each.firing.some(({ severity }) => severity === "page");
    if (each.firing.length) add(page ? "bad" : "warn", `“${each.text}” spends its error budget too fast`, "slos");
  }
  const given = (view.value("deadLetters") ?? []).filter((each) => !each.replayed_at);
  if (given.length) add("warn", `${count(given.length)} events were given up and wait for you`, "dead-letters");
  for (const each of view.value("events")?.subscriptions ?? []) {
    if (each.status) add("warn", `Subscription ${each.key ?? each.id} ${HEALTH[each.status]?.[1]}`, "events");
  }
  const open = view.total("holdfast_outbound_destinations", { phase: "open" });
  if (open) add("warn", `${count(open)} circuits are open`, "circuits");
  if (view.recent?.errors > 0) add("bad", `${rate(view.recent.errors)} requests a second end in an error`, "requests");
  const [money, others] = split(view.value("findings"));
  if (money.length) add("bad", `${count(money.length)} payments are neither an order nor a refund`, "payments");
  if (others.length) add("warn", `The audit has ${count(others.length)} open findings`, "findings");
  return found.sort((one, other) => ["bad", "warn"].indexOf(one.kind) - ["bad", "warn"].indexOf(other.kind));
}

const named = (part) => ({ database: "PostgreSQL", background: "The background worker" })[part] ?? part;

function split(findings) {
  const all = findings ?? [];
  return [all.filter((each) => MONEY.test(each.check_name)), all.filter((each) => !MONEY.test(each.check_name))];
}

/** A part that is not there, or not any more; otherwise nothing. */
function missing(view, name, hint) {
  if (view.value(name) === null) return h("p", { class: "quiet" }, `Not set up. ${hint ?? ""}`);
  const trouble = view.trouble(name);
  const old = view.age(name) === null ? "Never seen." : `This is from ${seconds(view.age(name))} ago.`;
  return trouble ? h("p", { class: "problem" }, mark("bad", `${trouble} ${old}`)) : null;
}

function tiles(view) {
  const recent = view.recent ?? {};
  const tile = (name, value, unit, point) =>
    h("div", { class: "tile" }, h("h3", {}, name), h("p", {}, h("strong", {}, value), ` ${unit}`), line(view.points.map(point)));
  return h(
    "div",
    { class: "tiles" },
    tile("Orders placed", rate(recent.orders), "a second", (point) => point.orders),
    tile("Requests", rate(recent.requests), "a second", (point) => point.requests),
    tile("Errors", rate(recent.errors), "a second", (point) => point.errors),
    tile("Sent away", rate(recent.refused), "a second", (point) => point.refused),
    tile("Half are answered in", seconds(recent.p50), "", (point) => point.p50),
    tile("99 % are answered in", seconds(recent.p99), "", (point) => point.p99),
  );
}

function concerns(view) {
  const found = attention(view);
  if (!found.length) return h("p", {}, mark("good", "Nothing needs your attention."));
  return h("ul", { class: "concerns" }, found.map(({ kind, text, panel }) => h("li", {}, mark(kind, ""), h("a", { href: `#${panel}` }, text))));
}

function slos(view) {
  const seen = view.value("slos");
  if (!seen) return missing(view, "slos") ?? h("p", { class: "quiet" }, "Not seen yet.");
  const state = (each) => {
    const worst = each.firing.find(({ severity }) => severity === "page") ?? each.firing[0];
    if (worst) return mark(worst.severity === "page" ? "bad" : "warn", `burning over ${worst.window}`);
    return each.budgetLeft === null ? mark("none", "no events") : mark("good", "kept");
  };
  const rows = seen.standings.map((each) => ({
    key: each.name,
    cells: [h("span", { class: "long" }, each.text), state(each), `${100 * each.objective} %`, each.budgetLeft < 0 ? mark("bad", "spent") : share(each.budgetLeft), ...seen.windows.map((window) => rate(each.burns[window]))],
  }));
  return [
    table("Objectives and how fast they spend their error budgets", ["Objective", "State", "#of all", "#budget left", ...seen.windows.map((window) => `#${window}`)], rows, ""),
    h("p", { class: "quiet" }, `From the counts of ${seconds(seen.knownSeconds)}. Under each span: how fast the budget burns; 1 spends exactly that of 30 days.`),
  ];
}

function requests(view) {
  const seen = Object.entries(view.recent?.endpoints ?? {});
  const rows = seen
    .filter(([, each]) => each.requests > 0)
    .sort(([, one], [, other]) => other.requests - one.requests)
    .map(([name, each]) => ({
      key: name,
      cells: [name, rate(each.requests), rate(each.rejected), each.errors ? mark("bad", rate(each.errors)) : "0", seconds(each.p50), seconds(each.p99)],
    }));
  return table("Requests of the last ten seconds", ["Endpoint", "#a second", "#4xx", "#5xx", "#half in", "#99 % in"], rows, "Nobody has asked for anything in the last ten seconds.");
}

function outcomes(view) {
  const { orders, refusals } = view.state.traffic;
  const rows = (counts) => Object.entries(counts).sort(([, one], [, other]) => other - one);
  return [
    h("h3", {}, "Orders"),
    table("Outcomes of orders", ["Outcome", "#so far"], rows(orders).map(([name, number]) => ({ key: name, cells: [name, count(number)] })), "No order has been asked for."),
    h("h3", {}, "Refusals"),
    table("Refusals by code", ["Code", "#so far"], rows(refusals).map(([name, number]) => ({ key: name, cells: [name, count(number)] })), "Nothing has been refused."),
  ];
}

function database(view) {
  const told = view.value("database");
  const part = view.value("health")?.parts?.database;
  return [
    h("p", {}, part ? (part.status === "up" ? mark("good", `Up for ${seconds(part.sinceSeconds)} or longer`) : mark("bad", `Down for ${seconds(part.sinceSeconds)}: ${part.reason}`)) : mark("none", "Not seen yet")),
    missing(view, "database"),
    told && facts([
      ["Connections", gauge(told.active + told.idle + told.in_transaction, told.allowed, `${count(told.active + told.idle + told.in_transaction)} of ${count(told.allowed)}`)],
      ["Of them active", count(told.active)],
      ["In a transaction", count(told.in_transaction)],
      ["Waiting for a lock", count(told.waiting)],
      ["Oldest transaction", seconds(told.oldest_seconds)],
      ["Deadlocks", count(told.deadlocks)],
      ["Size", bytes(told.bytes)],
      ["Standbys", told.standbys ? `${count(told.standbys)}, ${seconds(told.lag_seconds)} behind` : "none"],
    ]),
  ];
}

function processes(view) {
  const rows = view.processes.map((process) => ({
    key: process.name,
    cells: [
      process.name,
      process.isFresh ? mark("good", "up") : mark("bad", `silent ${seconds(process.ageSeconds)}`),
      String(process.pid),
      bytes(process.figure("holdfast_process_resident_bytes")),
      seconds(process.figure("holdfast_process_cpu_seconds_total")),
      seconds(process.figure("holdfast_process_event_loop_lag_seconds")),
    ],
  }));
  return table("Processes of this host", ["Process", "State", "#pid", "#memory", "#processor time", "#stood still"], rows, "No process tells of itself.");
}

function gate(view) {
  const rows = view.telling("holdfast_gate_").map((process) => {
    const of = (name, labels) => process.figure(`holdfast_gate_${name}`, labels);
    return {
      key: process.name,
      cells: [
        process.name,
        of("overloaded") ? mark("warn", "overloaded") : mark("good", "open"),
        gauge(of("in_flight"), of("limit"), `${count(of("in_flight"))} of ${count(of("limit"))}`),
        count(of("waiting")),
        count(of("admitted_total")),
        count(of("waited_total")),
        count(of("refused_total")),
      ],
    };
  });
  return table("Admission to each process", ["Process", "State", "Under way", "#waiting", "#let in", "#had waited", "#refused"], rows, "Not set up.");
}

function caches(view) {
  const told = view.telling("holdfast_kept_");
  if (!told.length) return h("p", { class: "quiet" }, "Not set up.");
  const of = (outcome) => view.total("holdfast_kept_answers_total", { outcome });
  const kept = of("cached") + of("held") + of("stale");
  const away = Math.max(...told.map((process) => process.figure("holdfast_kept_outage_seconds")));
  return [
    h("p", {}, away > 0 ? mark("bad", `The database is away for ${seconds(away)}: kept answers are given, marked stale`) : mark("good", "Every answer given is current")),
    facts([
      ["Answered from memory", share(kept + of("missed") ? kept / (kept + of("missed")) : null)],
      ["Current", count(of("cached"))],
      ["Not modified (304)", count(of("held"))],
      ["Stale", of("stale") ? mark("warn", count(of("stale"))) : "0"],
      ["Made anew", count(of("missed"))],
      ["Waited for the same answer", count(of("joined"))],
      ["Answers kept", count(view.total("holdfast_kept_entries"))],
      ["Memory", bytes(view.total("holdfast_kept_bytes"))],
      ["Oldest stale answer given", seconds(Math.max(...told.map((process) => process.figure("holdfast_kept_stale_seconds_max"))))],
      ["Outages noticed", count(view.total("holdfast_kept_outages_total"))],
    ]),
  ];
}

function limits(view) {
  const told = view.telling("holdfast_rates_");
  const tiers = [...new Set(told.flatMap((process) => process.all("holdfast_rates_admitted_total").map(({ labels }) => labels.tier)))];
  const rows = tiers.map((tier) => {
    const limited = view.total("holdfast_rates_limited_total", { tier });
    return { key: tier, cells: [tier, count(view.total("holdfast_rates_admitted_total", { tier })), limited ? mark("warn", count(limited)) : "0"] };
  });
  return [
    table("Requests by tier", ["Tier", "#within their rate", "#told 429"], rows, "Not set up."),
    rows.length > 0 && facts([
      ["Callers known", count(view.total("holdfast_rates_accounts"))],
      ["Leases", count(view.total("holdfast_rates_leases_total"))],
      ["Leases taken alone", count(view.total("holdfast_rates_alone_total"))],
      ["Buckets forgotten", count(view.total("holdfast_rates_forgotten_total"))],
    ]),
  ];
}

function circuits(view) {
  const of = (phase) => view.total("holdfast_outbound_destinations", { phase });
  const calls = (outcome) => view.total("holdfast_outbound_calls_total", { outcome });
  const moves = view.value("logs")?.circuitMoves ?? [];
  const moved = (each, place) => ({
    key: `${each.at}/${each.process}/${place}`,
    cells: [ago(each.at, view.now), mark({ open: "bad", closed: "good" }[each.phase] ?? "warn", each.phase), each.destination, each.why, each.process],
  });
  const none = h("p", { class: "quiet" }, "Nobody outside has been called.");
  return [
    view.telling("holdfast_outbound_").length && sum(["open", "half-open", "closed"].map(of))
      ? facts([
          ["Closed", count(of("closed"))],
          ["Half open", of("half-open") ? mark("warn", count(of("half-open"))) : "0"],
          ["Open", of("open") ? mark("bad", count(of("open"))) : "0"],
          ["Calls answered", count(calls("answered"))],
          ["Calls failed", count(calls("failed"))],
          ["Not made: circuit open", count(calls("refused_open"))],
          ["Not made: too many", count(calls("refused_busy"))],
          ["Repeated", count(calls("retries"))],
        ])
      : none,
    h("h3", {}, "History"),
    table("What circuits did", ["When", "Became", "Destination", "Why", "Process"], moves.map(moved), "No circuit has opened of late."),
  ];
}

function commits(view) {
  const { changes, commitEvents, commitChanges } = view.state.traffic;
  const batches = sum(commitChanges.slice(0, -1));
  const waiting = view.total("holdfast_commit_waiting");
  return facts([
    ["Batches", count(batches)],
    ["Changes in a batch", batches ? rate(commitChanges.at(-1) / batches) : "–"],
    ["Committed", count(changes.committed ?? 0)],
    ["Refused", count(changes.refused ?? 0)],
    ["Unknown to the client", changes.unknown ? mark("bad", count(changes.unknown)) : "0"],
    ["Run again after a conflict", count(commitEvents.conflict ?? 0)],
    ["Connection lost at COMMIT", count(commitEvents.recovered ?? 0)],
    ["Waiting now", count(waiting)],
    ["Connections in use", count(view.total("holdfast_pool_connections", { state: "in use" }))],
  ]);
}

const HEALTH = [["good", "healthy"], ["warn", "fails for now"], ["bad", "set up wrongly"]];

function events(view) {
  const seen = view.value("events");
  const rows = (seen?.subscriptions ?? []).map((each) => ({
    key: `${each.project}/${each.id}`,
    cells: [
      each.key ?? each.id,
      each.project,
      each.destination,
      mark(...(HEALTH[each.status] ?? ["warn", "unknown"])),
      count(each.owed),
      each.lag_seconds ? seconds(each.lag_seconds) : "none",
      each.held ? mark("warn", count(each.held)) : "0",
      count(each.delivered),
      count(each.failed),
      each.dead ? mark("bad", count(each.dead)) : "0",
      h("span", { class: "long" }, each.last_reason ?? ""),
    ],
  }));
  return [
    missing(view, "events"),
    seen && facts([["Not dealt out yet", count(seen.backlog.undealt)], ["The oldest of them", seconds(seen.backlog.oldest_seconds)]]),
    seen && table("Subscriptions", ["Subscription", "Project", "Destination", "State", "#owed", "#behind", "#resources held", "#delivered", "#attempts failed", "#dead", "Last trouble"], rows, "Nobody has subscribed."),
  ];
}

function deadLetters(view) {
  const seen = view.value("deadLetters");
  const rows = (seen ?? []).map((each) => ({
    key: each.id,
    cells: [
      h("button", { class: "small", type: "button", "data-do": "dead-letter", "data-id": each.id, "aria-label": `${each.type}, open ${each.id}` }, each.type),
      each.subscription_key ?? each.subscription_id,
      each.project,
      count(each.attempts),
      ago(each.buried_at, view.now),
      each.replayed_at ? mark("warn", `replayed ${ago(each.replayed_at, view.now)}`) : mark("bad", "given up"),
      h("span", { class: "long" }, each.reason),
    ],
  }));
  return [missing(view, "deadLetters"), seen && table("Dead letters, the newest first", ["Notification", "Subscription", "Project", "#attempts", "Since", "State", "Reason"], rows, "Nothing was given up.")];
}

const listed = (name, findings, now) =>
  h("ul", { class: "list", "aria-label": name }, findings.map((each) =>
    h("li", { "data-key": `${each.project}/${each.check_name}/${each.subject}` },
      h("details", {},
        h("summary", {}, h("strong", {}, each.check_name), ` ${each.kind} `, h("code", {}, each.subject)),
        h("p", {}, each.detail),
        h("p", {}, "To do: ", each.remedy),
        h("p", { class: "quiet" }, `Project ${each.project}, since ${ago(each.first_seen, now)}.`)))));

function findings(view, ours, none) {
  const seen = view.value("findings");
  return [missing(view, "findings"), seen && (ours(seen).length ? listed("Findings", ours(seen), view.now) : h("p", {}, mark("good", none)))];
}

function mishaps(view) {
  const seen = view.value("logs")?.problems;
  const item = (each, place) =>
    h("li", { "data-key": `${each.at}/${each.process}/${place}` },
      h("details", {},
        h("summary", {}, mark(each.level === "warning" ? "warn" : "bad", each.event), h("span", { class: "quiet" }, ` ${each.process}, ${ago(each.at, view.now)}`)),
        facts([
          ["At", each.at],
          ["Correlation id", each.correlationId ? h("code", {}, each.correlationId) : "none: it belongs to no request"],
          ...Object.entries(each.facts),
        ]),
        each.exception && h("pre", { tabindex: 0 }, each.exception)));
  return [missing(view, "logs", "The logs of this installation go elsewhere."), seen && (seen.length ? h("ul", { class: "list", "aria-label": "Recent problems" }, seen.map(item)) : h("p", {}, mark("good", "The logs tell of no problem.")))];
}

/** In the order they are read. */
export const PANELS = [
  { id: "attention", title: "Attention", wide: true, show: concerns },
  { id: "now", title: "The last ten seconds", wide: true, show: tiles },
  { id: "slos", title: "Objectives", wide: true, show: slos },
  { id: "requests", title: "Requests", show: requests },
  { id: "processes", title: "Processes", show: processes },
  { id: "gate", title: "Admission", show: gate },
  { id: "database", title: "PostgreSQL", show: database },
  { id: "commits", title: "Commits", show: commits },
  { id: "outcomes", title: "Outcomes", show: outcomes },
  { id: "caches", title: "Kept answers", show: caches },
  { id: "limits", title: "Rate limits", show: limits },
  { id: "circuits", title: "Circuits", wide: true, show: circuits },
  { id: "events", title: "Events", wide: true, show: events },
  { id: "dead-letters", title: "Dead letters", wide: true, show: deadLetters },
  { id: "payments", title: "Payments without orders", show: (view) => findings(view, (all) => split(all)[0], "Every captured payment became an order or a refund.") },
  { id: "findings", title: "Audit findings", show: (view) => findings(view, (all) => split(all)[1], "The audit has no open findings.") },
  { id: "mishaps", title: "Recent problems", wide: true, show: mishaps },
];
