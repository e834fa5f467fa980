// What happened between two looks: rates and latencies out of counts that only grow.

const LOOKS_MAX = 150;
// Tiles and tables speak of so long; lines draw every look.
const WINDOW_MS = 10_000;

export class Course {
  constructor() {
    this.looks = [];
    this.points = [];
  }

  /** Remember a look. */
  add(state) {
    const look = { at: Date.parse(state.at), traffic: state.traffic };
    const before = this.looks.at(-1);
    if (before && look.at <= before.at) return;
    this.looks.push(look);
    if (before) this.points.push(difference(before, look));
    this.looks.splice(0, this.looks.length - LOOKS_MAX);
    this.points.splice(0, this.points.length - LOOKS_MAX);
  }

  /** The last seconds; null until there were two looks. */
  get recent() {
    const last = this.looks.at(-1);
    const first = this.looks.find((look) => last.at - look.at <= WINDOW_MS);
    return last && first !== last ? difference(first, last) : null;
  }
}

function difference(first, last) {
  const seconds = (last.at - first.at) / 1000;
  const endpoints = {};
  for (const [name, now] of Object.entries(last.traffic.endpoints)) {
    const then = first.traffic.endpoints[name] ?? { statuses: {}, latency: [] };
    endpoints[name] = told(grown(now.statuses, then.statuses), now.latency.map((number, place) => number - (then.latency[place] ?? 0)), last.traffic.bounds, seconds);
  }
  const all = Object.values(endpoints);
  const latency = all.length ? all[0].latency.map((_, place) => sum(all.map((each) => each.latency[place]))) : [];
  const orders = grown(last.traffic.orders, first.traffic.orders);
  return {
    seconds,
    endpoints,
    requests: sum(all.map((each) => each.requests)),
    errors: sum(all.map((each) => each.errors)),
    refused: sum(all.map((each) => each.refused)),
    p50: percentile(latency, last.traffic.bounds, 0.5),
    p99: percentile(latency, last.traffic.bounds, 0.99),
    orders: (orders.placed ?? 0) / seconds,
    unplaced: sum(Object.entries(orders).map(([outcome, number]) => (outcome === "placed" ? 0 : number))) / seconds,
  };
}

function told(statuses, latency, bounds, seconds) {
  const of = (test) => sum(Object.entries(statuses).map(([status, number]) => (test(status) ? number : 0))) / seconds;
  return {
    latency,
    requests: of(() => true),
    errors: of((status) => status.startsWith("5")),
    rejected: of((status) => status.startsWith("4")),
    refused: of((status) => status === "429" || status === "503"),
    p50: percentile(latency, bounds, 0.5),
    p99: percentile(latency, bounds, 0.99),
  };
}

/** What a histogram says, a straight line drawn through each of its steps; null when it saw nothing. */
export function percentile(latency, bounds, part) {
  const counts = latency.slice(0, bounds.length + 1);
  const wanted = sum(counts) * part;
  if (!wanted) return null;
  let below = 0;
  for (const [place, number] of counts.entries()) {
    if (below + number >= wanted) {
      const floor = place ? bounds[place - 1] : 0;
      return place < bounds.length ? floor + ((bounds[place] - floor) * (wanted - below)) / number : floor;
    }
    below += number;
  }
  return bounds.at(-1);
}

/** A process that lost its page counts anew: then nothing is told rather than something wrong. */
function grown(now, then) {
  return Object.fromEntries(Object.entries(now).map(([name, number]) => [name, Math.max(0, number - (then[name] ?? 0))]));
}

export const sum = (numbers) => numbers.reduce((total, number) => total + number, 0);
