// Asks our own server, and nobody else; what changes something carries a header that only this page can send.

const PATIENCE_MS = 5_000;

export function ask(method, path, body) {
  const headers = method === "GET" ? {} : { "X-Holdfast-Page": "1", "Content-Type": "application/json" };
  return fetch(path, { method, headers, body: body && JSON.stringify(body), signal: AbortSignal.timeout(PATIENCE_MS), cache: "no-store" });
}
