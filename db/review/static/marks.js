// Colour here: the desk beside the sheet, what is kept until it is sent, and the sending.

import { Hand } from "./marks_hand.js";
import { MarkList } from "./marks_list.js";
import { openSheet } from "./marks_sheet.js";

const form = document.getElementById("marks");
const state = form.querySelector(".state");
const send = form.querySelector("button.primary");
const canvas = form.querySelector(".sheet > canvas");
const size = { width: Number(form.dataset.width), height: Number(form.dataset.height) };
const KEPT = `nishiki-marks-${form.dataset.name}`;

/** A sentence of the page with its gaps filled. */
function tell(what, values = {}) {
  state.textContent = (state.dataset[what] ?? what).replace(/\{(\w+)\}/g, (gap, name) => values[name] ?? gap);
}

/** What was drawn and not sent in this tab, else what was sent last. */
function start(changed) {
  const earlier = form.elements.earlier.value;
  const list = new MarkList(earlier ? JSON.parse(earlier).marks : [], changed);
  const kept = sessionStorage.getItem(KEPT);
  if (kept) list.marks = JSON.parse(kept);
  return list;
}

const list = start(() => {
  if (list.unsent) sessionStorage.setItem(KEPT, JSON.stringify(list.marks));
  else sessionStorage.removeItem(KEPT);
  refresh();
  hand.paint();
});

/** The result's small version, to take colours of. */
async function resultPixels() {
  const picture = new Image();
  picture.src = form.dataset.result;
  await picture.decode();
  const copy = new OffscreenCanvas(picture.naturalWidth, picture.naturalHeight);
  const pen = copy.getContext("2d", { willReadFrequently: true });
  pen.drawImage(picture, 0, 0);
  return { pen, width: copy.width, height: copy.height };
}

const desk = {
  tool: "draw",
  resultWanted: false,
  most: Number(form.dataset.most),
  tell,
  get draws() {
    return this.tool === "draw";
  },
  get pen() {
    const { width, colour, own } = form.elements;
    return { width: Number(width.value), colour: colour.value === "own" ? own.value : colour.value };
  },
  /** The mean of 3 × 3 pixels of the result becomes the curator's own colour, and they draw on. */
  async pick([x, y]) {
    this.result ??= resultPixels();
    const { pen, width, height } = await this.result;
    const place = [x / size.width * width, y / size.height * height].map((value) => Math.floor(value) - 1);
    const { data } = pen.getImageData(Math.max(0, Math.min(place[0], width - 3)), Math.max(0, Math.min(place[1], height - 3)), 3, 3);
    const mean = [0, 1, 2].map((part) => data.reduce((sum, value, n) => sum + (n % 4 === part ? value : 0), 0) / 9);
    const colour = `#${mean.map((value) => Math.round(value).toString(16).padStart(2, "0")).join("")}`;
    form.elements.own.value = colour;
    form.elements.colour.value = "own";
    take("draw");
    tell("picked", { colour });
  },
};

/** The result lies under the marks when the curator wants it, and always while they take a colour of it. */
function showResult() {
  const button = form.querySelector('[data-do="result"]');
  if (!button) return;
  const shown = desk.resultWanted || desk.tool === "pick";
  sheet.showResult(shown);
  button.setAttribute("aria-pressed", String(shown));
  form.querySelector(".sheet > .machine").hidden = !shown;
}

function take(tool) {
  desk.tool = tool;
  showResult();
  canvas.classList.toggle("moving", tool === "move");
  for (const button of form.querySelectorAll("[data-tool]")) {
    button.setAttribute("aria-pressed", String(button.dataset.tool === tool));
  }
}

function refresh() {
  form.querySelector('[data-do="undo"]').disabled = !list.past.length;
  form.querySelector('[data-do="redo"]').disabled = !list.future.length;
  form.querySelector('[data-do="clear"]').disabled = send.disabled = !list.marks.length;
  form.elements.wide.value = form.elements.width.value;
  tell("count", { marks: list.marks.length, points: list.points });
}

/** Says why the marks were not taken; they stay. */
async function refused(answer) {
  if (new URL(answer.url).pathname.endsWith("/login")) return tell("signedOut");
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  tell(`${state.dataset.refused} ${page.querySelector("main p")?.textContent ?? answer.status}`);
}

async function post() {
  tell("sending");
  send.disabled = true;
  const body = JSON.stringify({ recipe: form.elements.recipe.value, marks: list.marks });
  const headers = { "Content-Type": "application/json", "X-CSRF-Token": document.body.dataset.csrf };
  try {
    const answer = await fetch(form.dataset.send, { method: "POST", headers, body });
    if (new URL(answer.url).pathname === form.dataset.entry) { // only what was taken leads there
      list.begun = list.marks;
      sessionStorage.removeItem(KEPT);
      location.assign(answer.url);
      return;
    }
    await refused(answer);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error; // fetch's word for a connection that failed
    tell("noAnswer");
  }
  send.disabled = false;
}

form.addEventListener("submit", (event) => { event.preventDefault(); post(); });
form.elements.width.addEventListener("input", () => { form.elements.wide.value = form.elements.width.value; });
form.elements.own.addEventListener("input", () => { form.elements.colour.value = "own"; });
addEventListener("beforeunload", (event) => { if (list.unsent) event.preventDefault(); });

form.hidden = false;
const sheet = await openSheet(form.querySelector(".sheet"), form.dataset.tiles, size, form.dataset.resultTiles);
const hand = new Hand(sheet, list, desk);
const DOES = {
  undo: () => list.undo(),
  redo: () => list.redo(),
  clear: () => list.clear(),
  closer: () => sheet.zoom(1.5),
  farther: () => sheet.zoom(1 / 1.5),
  fit: () => sheet.fit(),
  result: () => {
    desk.resultWanted = !desk.resultWanted;
    showResult();
  },
};
for (const button of form.querySelectorAll("[data-tool]")) button.addEventListener("click", () => take(button.dataset.tool));
for (const button of form.querySelectorAll("[data-do]")) button.addEventListener("click", () => DOES[button.dataset.do]());
addEventListener("keydown", (event) => {
  if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== "z") return;
  event.preventDefault();
  DOES[event.shiftKey ? "redo" : "undo"]();
});
refresh();
hand.paint();
