// Comparing any two pictures: side by side in the first two panes, and in the result's pane by swipe, blink and opacity;
// there, too, the lightness difference and the map of trust. One mode at a time; starts when viewer.js has opened them.

import { Layers, offered } from "./viewer_layers.js";

const section = document.querySelector(".viewer");
const slide = section.querySelector(".slide");
const divider = section.querySelector(".divider");
const state = section.querySelector(".state");
const now = state.querySelector(".now");
const buttons = [...section.querySelectorAll("[data-mode]")];
const lists = [...section.querySelectorAll("[data-pick]")];
const form = document.querySelector("#verdict");
const pictures = offered(lists[0]);
const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
const BLINK_MS = 1000; // one change a second, three flashes are the most that WCAG 2.3.1 allows
const BLINKS = 10;
const VIEWS = { lightness: "source-over", trust: "multiply" }; // how each is laid over what is below it

let panes; // the first two, as Layers
let pair = ["original", "result"]; // what is compared
let mode = "";
let share = 50; // where the divider stands, in percent
let blinking = 0;
let came = null; // where the focus was before it went to the divider

/** How strongly each layer of the result's pane is drawn; `flipped`: the first in place of the second. */
function opacities(flipped) {
  if (mode === "trust") return { original: 1, trust: 1 };
  if (mode === "lightness") return { result: 1, lightness: 1 };
  return { [pair[0]]: mode ? 1 : 0, [pair[1]]: flipped ? 0 : mode === "opacity" ? share / 100 : 1 };
}

/** Draws what the mode shows, and tells it above both panes. */
async function draw(flipped = false) {
  const [left, right] = panes;
  await left.draw({ [pair[0]]: 1 });
  await right.draw(opacities(flipped));
  await clip();
  const [first, second] = pair.map((name) => pictures[name]);
  left.caption(first.title, first.machine);
  if (mode in VIEWS) return right.caption(section.dataset[mode === "trust" ? "showsTrust" : "showsLightness"], false);
  const shown = flipped ? first : second;
  return right.caption(shown.title, shown.machine);
}

function clip() {
  return panes[1].split(...pair, mode === "swipe" ? share / 100 : null);
}

function placeDivider() {
  divider.style.left = `${share}%`;
  divider.setAttribute("aria-valuenow", String(Math.round(share)));
}

function moveDivider(percent) {
  share = Math.min(Math.max(percent, 0), 100);
  placeDivider();
  draw();
}

function stopBlinking() {
  clearInterval(blinking);
  blinking = 0;
}

/** Both in turn for some seconds; where motion is not wanted, the first until the next key. */
function blink() {
  let count = 0;
  if (still) return draw(true);
  blinking = setInterval(() => {
    count += 1;
    if (count > BLINKS) set("");
    else draw(count % 2 === 1);
  }, BLINK_MS);
  return draw();
}

/** A sentence of the template, with the titles of the two. */
function say(text) {
  now.textContent = text.replace("{first}", pictures[pair[0]].title).replace("{second}", pictures[pair[1]].title);
}

/** Tells the mode in words and on the buttons. */
function tell() {
  const chosen = buttons.find((button) => button.dataset.mode === mode);
  for (const button of buttons) button.setAttribute("aria-pressed", String(button === chosen));
  if (mode === "blink" && still) say(state.dataset.still);
  else if (chosen) say(chosen.dataset.said);
  else say(pair[1] === "result" ? state.dataset.plain : state.dataset.other);
}

function goToDivider() {
  if (document.activeElement !== divider) came = document.activeElement;
  divider.focus({ preventScroll: true });
}

/** The focus goes where it was: a button that nobody had chosen would look as if it were on. */
function goBack() {
  divider.blur();
  came.focus({ preventScroll: true });
}

/** Changes the mode; "": the second picture alone. */
async function set(name) {
  stopBlinking();
  mode = name;
  const sliding = mode === "swipe" || mode === "opacity";
  if (!sliding && divider === document.activeElement) goBack();
  slide.hidden = !sliding;
  slide.dataset.of = mode;
  if (sliding) goToDivider();
  tell();
  if (mode in VIEWS) await panes[1].lay(mode, section.dataset[mode], VIEWS[mode]);
  return mode === "blink" ? blink() : draw();
}

/** Puts a picture at one of the two places; where it stood at the other one, they change places. */
async function choose(place, name) {
  const before = pair;
  pair = pair.map((other, at) => (at === place ? name : other === name ? before[place] : other));
  lists.forEach((list, at) => { list.value = pair[at]; });
  panes[1].pane.figure.classList.toggle("other", pair[1] !== "result");
  stopBlinking();
  try {
    await panes[0].of(pair[0]);
    await panes[1].order(...pair);
  } catch {
    await choose(place, before[place]);
    now.textContent = section.dataset.missing;
    return;
  }
  await set(mode);
}

/** A verdict is on the result: while another picture stands in its place, the button only brings it back. */
function showResult(event) {
  if (pair[1] === "result" || !event.target.closest("button")) return;
  event.preventDefault();
  event.stopPropagation();
  choose(1, "result").then(() => { now.textContent = state.dataset.again; });
}

divider.addEventListener("keydown", (event) => {
  const steps = { ArrowLeft: -2, ArrowDown: -2, ArrowRight: 2, ArrowUp: 2, PageDown: -10, PageUp: 10, Home: -100, End: 100 };
  if (!(event.key in steps)) return;
  event.preventDefault();
  moveDivider(share + steps[event.key]);
});
divider.addEventListener("pointerdown", (event) => divider.setPointerCapture(event.pointerId));
divider.addEventListener("pointermove", (event) => {
  if (!divider.hasPointerCapture(event.pointerId)) return;
  const box = slide.getBoundingClientRect();
  moveDivider(((event.clientX - box.left) / box.width) * 100);
});
/** Any key ends the blinking; one that would give a verdict does nothing else, since the original may be in view. */
function endBlinking(event) {
  if (mode !== "blink" || event.key === "b" || event.target.closest("textarea")) return;
  const judges = document.querySelector(`#verdict button[data-key="${CSS.escape(event.key)}"]`) !== null;
  if (judges) event.preventDefault();
  if (blinking || judges) set("");
}

/** Wakes a list of pictures; Escape leaves it, so that the keys mean verdicts again. */
function wake(list, place) {
  list.disabled = false;
  list.addEventListener("change", () => choose(place, list.value));
  list.addEventListener("keydown", (event) => { if (event.key === "Escape") list.blur(); });
}

document.addEventListener("keydown", endBlinking, true);
form?.addEventListener("click", showResult, true);

section.addEventListener("opened", ({ detail: { original, result } }) => {
  panes = [new Layers(original, pictures), new Layers(result, pictures)];
  panes[1].order(...pair);
  result.viewer.addHandler("viewport-change", () => { if (mode === "swipe") clip(); });
  lists.forEach(wake);
  for (const button of buttons) {
    button.disabled = false;
    button.addEventListener("click", () => set(button.dataset.mode === mode ? "" : button.dataset.mode));
  }
});
