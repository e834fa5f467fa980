// Signs in, looks every two seconds, and shows what it saw with its age.

import { ask } from "./asking.js";
import { Course } from "./course.js";
import { h, show } from "./dom.js";
import { openLetter } from "./letters.js";
import { attention, PANELS } from "./panels.js";
import { View } from "./view.js";
import { mark, seconds } from "./write.js";

const LOOK_MS = 2_000;
// A page nobody sees looks less often.
const HIDDEN_LOOK_MS = 10_000;

const at = (id) => document.getElementById(id);
const course = new Course();
let view = null;
let seenAt = null;
let isPaused = false;
let timer = null;

async function look() {
  clearTimeout(timer);
  try {
    const answer = await ask("GET", "/-/ops/state");
    if (answer.status === 401) return signInAgain();
    if (!answer.ok) throw new Error(`The server answered ${answer.status}.`);
    seen(await answer.json());
  } catch (problem) {
    lost(problem);
  }
  lookLater();
}

function lookLater() {
  clearTimeout(timer);
  if (!isPaused) timer = setTimeout(look, document.hidden ? HIDDEN_LOOK_MS : LOOK_MS);
}

/** The first look: without a session there is nothing to ask for. */
async function begin() {
  try {
    const answer = await ask("GET", "/-/ops/session");
    if (!(await answer.json()).isOperator) return signInAgain();
  } catch (problem) {
    return signInAgain(problem.message);
  }
  return look();
}

function seen(state) {
  at("sign-in").hidden = true;
  at("board").hidden = false;
  seenAt = Date.now();
  course.add(state);
  view = new View(state, course);
  draw();
}

function draw() {
  const found = attention(view);
  const bad = found.some(({ kind }) => kind === "bad");
  stand(bad ? "bad" : found.length ? "warn" : "good", bad ? "In trouble" : found.length ? "Serving, see below" : "Serving");
  show(at("main"), PANELS.map(({ id, title, wide, show: content }) =>
    h("section", { "data-key": id, id, class: wide ? "wide" : null, "aria-labelledby": `${id}-title` }, h("h2", { id: `${id}-title` }, title), content(view))));
  letScroll();
  const { process, pid } = view.state.answeredBy;
  show(at("footer"), `Holdfast ${view.value("health")?.version ?? ""}. Answered by ${process}, pid ${pid}, for all processes of this host.`);
  tick();
}

function lost(problem) {
  if (seenAt === null) return signInAgain(problem.message);
  at("main").classList.add("old");
  stand("bad", "This host does not answer");
}

function stand(kind, text) {
  // Told to screen readers when it changes, not every two seconds.
  if (at("standing").textContent.trim().slice(1).trim() === text) return;
  if (kind !== "bad" || text !== "This host does not answer") at("main").classList.remove("old");
  show(at("standing"), mark(kind, text));
  document.title = `${text} – Holdfast operations`;
}

function tick() {
  if (seenAt === null) return;
  at("age").textContent = `${isPaused ? "Paused, seen" : "Seen"} ${seconds(Math.max(1, Math.round((Date.now() - seenAt) / 1000)))} ago`;
}

/** What is wider than its place can be scrolled by keyboard too. */
function letScroll() {
  for (const element of document.querySelectorAll(".scroll")) {
    if (element.scrollWidth > element.clientWidth) element.tabIndex = 0;
    else element.removeAttribute("tabindex");
  }
}

function signInAgain(problem) {
  seenAt = null;
  at("dialog").close();
  at("board").hidden = true;
  at("sign-in").hidden = false;
  at("sign-in-problem").textContent = problem ?? "";
  document.title = "Sign in – Holdfast operations";
  at("token").focus();
}

async function signIn(event) {
  event.preventDefault();
  try {
    const answer = await ask("POST", "/-/ops/session", { token: at("token").value });
    at("token").value = "";
    if (!answer.ok) return signInAgain((await answer.json()).message);
    await look();
    at("main").focus({ preventScroll: true });
  } catch (problem) {
    signInAgain(problem.message);
  }
}

async function signOut() {
  clearTimeout(timer);
  await ask("DELETE", "/-/ops/session");
  signInAgain();
}

/** A button in what is drawn anew every two seconds says by its data what it does. */
function act(event) {
  const button = event.target.closest("[data-do]");
  const letter = button && view.value("deadLetters")?.find((each) => each.id === button.dataset.id);
  if (letter) openLetter(letter, view.now, look);
}

function pause() {
  isPaused = !isPaused;
  at("pause").setAttribute("aria-pressed", isPaused);
  if (!isPaused) look();
  clearTimeout(isPaused ? timer : null);
  tick();
}

at("sign-in-form").addEventListener("submit", signIn);
at("sign-out").addEventListener("click", signOut);
at("pause").addEventListener("click", pause);
at("main").addEventListener("click", act);
addEventListener("resize", letScroll);
document.addEventListener("visibilitychange", () => document.hidden || isPaused || seenAt === null || look());
setInterval(tick, 1_000);
begin();
