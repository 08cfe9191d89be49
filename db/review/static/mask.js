// Colour a part: the desk beside the sheet, the mask made of what was painted, and the sending.

import { Hand } from "./marks_hand.js";
import { MarkList } from "./marks_list.js";
import { openSheet, outline, Sheet } from "./marks_sheet.js";

const form = document.getElementById("mask");
const state = form.querySelector(".state");
const send = form.querySelector("button.primary");
const canvas = form.querySelector(".sheet > canvas");
const size = { width: Number(form.dataset.width), height: Number(form.dataset.height) };
const KEPT = `nishiki-mask-${form.dataset.name}`;
const COUNTED_PX = 256;

/** A sentence of the page with its gaps filled. */
function tell(what, values = {}) {
  state.textContent = (state.dataset[what] ?? what).replace(/\{(\w+)\}/g, (gap, name) => values[name] ?? gap);
}

/** Lays strokes and areas over each other, at a scale; what is taken away leaves a hole. */
function lay(pen, mark, places, width, colour) {
  const line = outline(places);
  pen.globalCompositeOperation = mark.kind === "away" ? "destination-out" : "source-over";
  pen.strokeStyle = pen.fillStyle = colour;
  pen.lineCap = pen.lineJoin = "round";
  pen.lineWidth = mark.kind === "area" ? 1 : width;
  if (mark.kind === "area") pen.fill(line);
  pen.stroke(line);
  pen.globalCompositeOperation = "source-over";
}

class MaskSheet extends Sheet {
  paintMark(pen, mark) {
    lay(pen, mark, mark.points.map((point) => this.toCanvas(point)), Math.max(1.5, mark.width * this.scale), "#e25c00");
  }
}

/** The mask with so many pixels for one of the print: white where colour is wanted, black elsewhere. */
function masked(scale) {
  const made = document.createElement("canvas");
  made.width = Math.max(1, Math.round(size.width * scale));
  made.height = Math.max(1, Math.round(size.height * scale));
  const pen = made.getContext("2d", { willReadFrequently: scale < 1 });
  for (const mark of list.marks) {
    lay(pen, mark, mark.points.map(([x, y]) => [x * scale, y * scale]), mark.width * scale, "white");
  }
  pen.globalCompositeOperation = "destination-over"; // below all of it, holes too
  pen.fillStyle = "black";
  pen.fillRect(0, 0, made.width, made.height);
  return made;
}

/** How much of the picture is asked for, in %. */
function share() {
  if (!list.marks.length) return 0;
  const small = masked(Math.min(1, COUNTED_PX / Math.max(size.width, size.height)));
  const { data } = small.getContext("2d").getImageData(0, 0, small.width, small.height);
  return data.reduce((sum, value, n) => sum + (n % 4 === 0 ? value : 0), 0) / 255 / (data.length / 4) * 100;
}

const list = new MarkList(JSON.parse(sessionStorage.getItem(KEPT) ?? "[]"), () => {
  sessionStorage.setItem(KEPT, JSON.stringify(list.marks));
  refresh();
  hand.paint();
});

const desk = {
  tool: "draw",
  most: Number(form.dataset.most),
  tell,
  get draws() {
    return this.tool !== "move";
  },
  get pen() {
    return { width: Number(form.elements.width.value), kind: this.tool };
  },
};

function take(tool) {
  desk.tool = tool;
  canvas.classList.toggle("moving", tool === "move");
  for (const button of form.querySelectorAll("[data-tool]")) {
    button.setAttribute("aria-pressed", String(button.dataset.tool === tool));
  }
}

function refresh() {
  form.querySelector('[data-do="undo"]').disabled = !list.past.length;
  form.querySelector('[data-do="redo"]').disabled = !list.future.length;
  const part = share();
  form.querySelector('[data-do="clear"]').disabled = !list.marks.length;
  send.disabled = !part;
  form.elements.wide.value = form.elements.width.value;
  tell("count", { share: part.toFixed(part && part < 10 ? 1 : 0) });
}

/** Says why the mask was not taken; what was painted stays. */
async function refused(answer) {
  if (new URL(answer.url).pathname.endsWith("/login")) return tell("signedOut");
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  tell(`${state.dataset.refused} ${page.querySelector("main p")?.textContent ?? answer.status}`);
}

async function post(body, button) {
  tell("sending");
  button.disabled = true;
  const address = new URL(form.dataset.send, location);
  address.searchParams.set("by", form.elements.recipe.value);
  const headers = { "Content-Type": "image/png", "X-CSRF-Token": document.body.dataset.csrf };
  try {
    const answer = await fetch(address, { method: "POST", headers, body });
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
  button.disabled = false;
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  masked(1).toBlob((made) => (made ? post(made, send) : tell("tooLarge")), "image/png");
});
form.elements.width.addEventListener("input", () => { form.elements.wide.value = form.elements.width.value; });
form.elements.file.addEventListener("change", () => { form.elements.own.disabled = !form.elements.file.files.length; });
form.elements.own.addEventListener("click", () => post(form.elements.file.files[0], form.elements.own));
addEventListener("beforeunload", (event) => { if (list.unsent) event.preventDefault(); });

form.hidden = false;
const sheet = await openSheet(form.querySelector(".sheet"), form.dataset.tiles, size, null, MaskSheet);
const hand = new Hand(sheet, list, desk);
const DOES = {
  undo: () => list.undo(),
  redo: () => list.redo(),
  clear: () => list.clear(),
  closer: () => sheet.zoom(1.5),
  farther: () => sheet.zoom(1 / 1.5),
  fit: () => sheet.fit(),
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
