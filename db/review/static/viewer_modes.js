// Comparing in the result's pane: swipe, blink, opacity, lightness difference, map of trust. One at a time; starts when viewer.js has painted.

import { tilesOf } from "./tiles.js";

const section = document.querySelector(".viewer");
const slide = section.querySelector(".slide");
const divider = section.querySelector(".divider");
const state = section.querySelector(".state");
const now = state.querySelector(".now");
const shows = section.querySelector(".shows");
const plain = shows.textContent;
const buttons = [...section.querySelectorAll("[data-mode]")];
const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
const BLINK_MS = 1000; // one change a second, three flashes are the most that WCAG 2.3.1 allows
const BLINKS = 10;

let result; // the pane
let mode = "";
let share = 50; // where the divider stands, in percent
let blinking = 0;
let came = null; // where the focus was before it went to the divider
const layers = {}; // of the result's pane: original below, result, views above
const VIEWS = { lightness: "source-over", trust: "multiply" }; // how each is laid over what is below it

/** A further picture in the result's pane, exactly over or under it. */
function layer(name, tiles, index, compositeOperation = "source-over") {
  layers[name] ??= new Promise((resolve, reject) => {
    const added = { tileSource: tiles, index, width: 1, opacity: 0, preload: true, compositeOperation };
    result.viewer.addTiledImage({ ...added, success: (event) => resolve(event.item), error: reject });
  });
  return layers[name];
}

/** A view of the result, fetched when it is first asked for. */
async function viewLayer(name) {
  return layer(name, await tilesOf(section.dataset[name]), 2, VIEWS[name]);
}

/** Cuts the result off left of the divider, wherever the picture stands. */
async function clip() {
  const image = await layers.result;
  if (mode !== "swipe") return image.setClip(null);
  const { width, height } = result.tiles;
  const bounds = result.viewer.viewport.getBounds(true);
  const left = Math.min(Math.max(bounds.x + (bounds.width * share) / 100, 0), 1) * width;
  image.setClip(new OpenSeadragon.Rect(left, 0, width - left, height));
}

/** Draws what the mode shows; `flipped`: the original in place of the result. */
async function draw(flipped = false) {
  (await layers.original).setOpacity(mode && mode !== "lightness" ? 1 : 0);
  (await layers.result).setOpacity(flipped || mode === "trust" ? 0 : mode === "opacity" ? share / 100 : 1);
  for (const view in VIEWS) (await layers[view])?.setOpacity(mode === view ? 1 : 0);
  caption(flipped ? "original" : mode in VIEWS ? mode : "");
  await clip();
}

/** What stands in the result's pane now, above it. */
function caption(what) {
  const { dataset } = shows.closest(".pane");
  if (what) dataset.shows = what;
  else delete dataset.shows;
  const { showsOriginal, showsLightness, showsTrust } = section.dataset;
  shows.textContent = { original: showsOriginal, lightness: showsLightness, trust: showsTrust }[what] ?? plain;
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

/** Original and result in turn for some seconds; where motion is not wanted, the original until the next key. */
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

/** Tells the mode in words and on the buttons. */
function tell() {
  const chosen = buttons.find((button) => button.dataset.mode === mode);
  for (const button of buttons) button.setAttribute("aria-pressed", String(button === chosen));
  if (mode === "blink" && still) now.textContent = state.dataset.still;
  else now.textContent = chosen ? chosen.dataset.said : state.dataset.plain;
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

/** Changes the mode; "": the result alone. */
async function set(name) {
  stopBlinking();
  mode = name;
  const sliding = mode === "swipe" || mode === "opacity";
  if (!sliding && divider === document.activeElement) goBack();
  slide.hidden = !sliding;
  slide.dataset.of = mode;
  if (sliding) goToDivider();
  tell();
  if (mode in VIEWS) await viewLayer(mode);
  return mode === "blink" ? blink() : draw();
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

document.addEventListener("keydown", endBlinking, true);

section.addEventListener("painted", (event) => {
  result = event.detail.result;
  layers.result = Promise.resolve(result.viewer.world.getItemAt(0));
  layer("original", event.detail.original.tiles, 0);
  result.viewer.addHandler("viewport-change", () => { if (mode === "swipe") clip(); });
  for (const button of buttons) {
    button.disabled = false;
    button.addEventListener("click", () => set(button.dataset.mode === mode ? "" : button.dataset.mode));
  }
});
