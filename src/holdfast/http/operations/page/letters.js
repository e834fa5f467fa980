// A dead letter in a dialog: what it is and why it died, and what may be done about it, each time asked again first.

import { ask } from "./asking.js";
import { h, show } from "./dom.js";
import { ago, count, facts } from "./write.js";

const at = (id) => document.getElementById(id);

/** Show a dead letter; `changed` is called when something was done about it. */
export function openLetter(letter, now, changed) {
  const dialog = at("dialog");
  const button = (text, kind, act) => {
    const made = h("button", { type: "button", class: kind }, text);
    made.addEventListener("click", act);
    return made;
  };
  const close = button("Close", null, () => dialog.close());

  function step(title, body, ...choices) {
    show(at("dialog-title"), title);
    at("dialog-body").replaceChildren(...body);
    at("dialog-choices").replaceChildren(...choices);
    at("dialog-problem").textContent = "";
  }

  async function act(verb) {
    try {
      const answer = await ask("POST", `/-/dead-letters/${verb}`, { ids: [letter.id] });
      const said = await answer.json();
      if (!answer.ok) throw new Error(said.message);
      if (!Object.values(said)[0]) throw new Error("Nothing was done: it is on its way, gone, or its subscription is.");
      dialog.close();
      changed();
    } catch (problem) {
      at("dialog-problem").textContent = problem.message;
    }
  }

  function confirm(title, sentence, kind, verb) {
    const back = button("Back", null, first);
    step(title, [h("p", {}, sentence)], back, button(title, kind, () => act(verb)));
    // The harmless choice has the focus: Enter pressed twice must not do anything.
    back.focus();
  }

  function first() {
    step(
      letter.type,
      told(letter, now),
      close,
      button("Discard …", "grave", () => confirm("Discard", "It is deleted, and its subscription never gets it. This cannot be undone.", "grave", "discard")),
      button("Replay …", "first", () => confirm("Replay", "It is sent to its subscription again, behind what waits for the same resource.", "first", "replay")),
    );
    body(letter);
    close.focus();
  }

  first();
  dialog.showModal();
  close.focus();
}

function told(letter, now) {
  return [
    h("p", { class: "problem" }, letter.reason),
    facts([
      ["Project", letter.project],
      ["Subscription", letter.subscription_key ?? letter.subscription_id],
      ["About", `${letter.kind} ${letter.resource_id}`],
      ["Sequence number", count(letter.sequence_number)],
      ["Happened", letter.created_at],
      ["First failure", ago(letter.first_failed_at, now)],
      ["Given up", ago(letter.buried_at, now)],
      ["Attempts", count(letter.attempts)],
    ]),
    h("h3", {}, "What is sent"),
    h("pre", { id: "letter-body", tabindex: 0 }, "…"),
  ];
}

async function body(letter) {
  const place = at("letter-body");
  try {
    const answer = await ask("GET", `/-/dead-letters/${letter.id}`);
    const said = await answer.json();
    place.textContent = !answer.ok ? said.message : said.message ? JSON.stringify(said.message, null, 2) : "That it happened, and nothing more.";
  } catch (problem) {
    place.textContent = problem.message;
  }
}
